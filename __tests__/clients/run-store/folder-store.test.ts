import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { FolderStore } from "../../../clients/run-store/folder-store.js";
import { failure } from "../../support/refusal.js";
import { runStoreContract } from "./run-store-contract.js";

let scratch: string;
let folder: string;
const create = (): FolderStore => new FolderStore(folder, "demo.tfstate.rollout");

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "rollout-store-"));
  folder = join(scratch, "demo.tfstate.rollout");
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

describe("A run store in a folder", () => {
  runStoreContract(create);

  test("is the owner's alone, and keeps no earlier version", async () => {
    const store = create();
    const tag = await store.write("lock", "one", undefined);
    await store.write("lock", "two", tag);
    expect(readdirSync(folder)).toEqual(["lock.2"]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "lock.2")).mode & 0o777).toBe(0o600);
  });

  test("reads the last version where a process was killed before it removed the others", async () => {
    const store = create();
    const tag = await store.write("lock", "one", undefined);
    writeFileSync(join(folder, "lock.10"), "ten");
    writeFileSync(join(folder, "lock.9"), "nine");
    expect(await store.read("lock")).toMatchObject({ text: "ten", tag: "10" });
    expect(await store.list("")).toEqual([{ name: "lock", tag: "10" }]);
    expect(await store.write("lock", "two", tag)).toBeUndefined();
    expect(await store.write("lock", "eleven", "10")).toBe("11");
    expect(readdirSync(folder)).toEqual(["lock.11"]);
  });

  test("refuses what is no folder", async () => {
    writeFileSync(folder, "");
    expect(await failure(create().write("lock", "one", undefined))).toBe(
      "cannot use demo.tfstate.rollout: EEXIST; who rolls has to be able to read and write it",
    );
    expect(await failure(create().read("lock"))).toBe(
      "cannot use demo.tfstate.rollout: ENOTDIR; who rolls has to be able to read and write it",
    );
  });
});
