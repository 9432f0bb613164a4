import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearHold, holdFile, readHold, writeHold } from "../../../clients/run-folder/hold.js";
import type { Hold } from "../../../cluster/run/hold.js";

const PAUSE: Hold = {
  kind: "pause",
  since: "2026-11-21T09:12:00.000Z",
  by: "ann@laptop",
  reason: "waiting for the DBA",
};

let scratch: string;
let folder: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "rollout-hold-"));
  folder = join(scratch, ".rollout", "prod");
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

test("nothing holds until somebody says so, and again once it is cleared", () => {
  expect(readHold(folder)).toBeUndefined();

  writeHold(folder, PAUSE);
  expect(readHold(folder)).toStrictEqual(PAUSE);

  clearHold(folder);
  clearHold(folder);
  expect(readHold(folder)).toBeUndefined();
});

test("a later hold takes the place of the earlier one, and nothing is left beside it", () => {
  const cancel: Hold = { kind: "cancel", since: PAUSE.since, by: PAUSE.by, undo: true };
  writeHold(folder, PAUSE);
  writeHold(folder, cancel);

  expect(readHold(folder)).toStrictEqual(cancel);
  expect(readdirSync(folder)).toStrictEqual(["hold.json"]);
});

test("refuses to take a damaged hold for none", () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(holdFile(folder), '{"kind":"stop"}');

  expect(() => readHold(folder)).toThrow(
    new Error(`${holdFile(folder)} is damaged, so nothing is rolled; remove it with: rollout resume`),
  );
});

test("refuses a hold that cannot be written", () => {
  mkdirSync(holdFile(folder), { recursive: true });

  expect(() => {
    writeHold(folder, PAUSE);
  }).toThrow(new Error(`cannot write ${holdFile(folder)}: EISDIR; nothing is held by it`));
  expect(readdirSync(folder)).toStrictEqual(["hold.json"]);
});
