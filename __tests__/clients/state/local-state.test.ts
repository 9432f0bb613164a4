import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readLocalState, type Wait } from "../../../clients/state/local-state.js";
import { parseState } from "../../../clients/state/parse-state.js";
import type { Deployed } from "../../../cluster/deployed.js";

const expected = { where: "demo.tfstate", cluster: "demo" };

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-local-state-"));
  file = join(folder, "demo.tfstate");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("a state file is read as it stands", async () => {
  await writeFile(file, await recorded());
  expect(await readLocalState(file, expected, noWait)).toEqual(parseState(await recorded(), expected));
});

test("a file that is not there is an empty state", async () => {
  expect(await readLocalState(file, expected, noWait)).toEqual({
    origin: { kind: "state", where: "demo.tfstate", serial: 0, lineage: "" },
    groups: new Map(),
    addresses: new Set(),
  });
});

describe("A file that is being written", () => {
  test.each([
    ["is empty", 0],
    ["is half there", 2000],
  ])("is read again when it %s", async (_title, length) => {
    const whole = await recorded();
    await writeFile(file, whole.slice(0, length));
    const waits: number[] = [];
    const writer: Wait = async (milliseconds) => {
      waits.push(milliseconds);
      if (waits.length === 3) await writeFile(file, whole);
    };

    expect((await readLocalState(file, expected, writer)).groups.size).toBe(2);
    expect(waits).toEqual([100, 100, 100]);
  });

  test("rejects one that stays empty, after a second", async () => {
    await writeFile(file, "");
    const waits: number[] = [];
    const refusal = await messageOf(
      readLocalState(file, expected, async (milliseconds) => {
        waits.push(milliseconds);
        await Promise.resolve();
      }),
    );

    expect(refusal).toMatchInlineSnapshot(
      `"the state is empty: demo.tfstate has no content; restore it from its backup (cp demo.tfstate.backup demo.tfstate; a deploy then goes on from there), or remove it if nothing was ever deployed"`,
    );
    expect(waits).toEqual([100, 100, 100, 100, 100, 100, 100, 100, 100]);
  });

  test("rejects one that stays cut off", async () => {
    await writeFile(file, (await recorded()).slice(0, 500));
    expect(await messageOf(readLocalState(file, expected, noWait))).toMatchInlineSnapshot(
      `"the state is not whole: demo.tfstate has 500 characters that are no complete JSON document; restore it from its backup (cp demo.tfstate.backup demo.tfstate; a deploy then goes on from there)"`,
    );
  });

  test("names who holds the lock", async () => {
    await writeFile(file, "");
    await writeFile(
      join(folder, ".demo.tfstate.lock.info"),
      '{"ID":"dfaa1eaf-08e3-ee44-e3b3-0335c51afa07","Operation":"OperationTypeApply","Info":"","Who":"ops@build-1","Version":"1.11.4","Created":"2025-11-21T11:44:41.085075489Z","Path":"demo.tfstate"}',
    );
    expect(await messageOf(readLocalState(file, expected, noWait))).toMatchInlineSnapshot(
      `"the state is being written: demo.tfstate is locked by ops@build-1 for apply since 2025-11-21T11:44:41.085075489Z; wait until that run has ended, or remove .demo.tfstate.lock.info if it was killed"`,
    );
  });

  test("says nothing of a lock that is not whole itself", async () => {
    await writeFile(file, "");
    await writeFile(join(folder, ".demo.tfstate.lock.info"), '{"ID":"dfaa');
    expect(await messageOf(readLocalState(file, expected, noWait))).toContain("the state is empty");
  });

  test("does not wait for what waiting does not mend", async () => {
    await writeFile(file, '{"version":5}');
    const refusal = readLocalState(file, expected, () => Promise.reject(new Error("it waited")));
    expect(await messageOf(refusal)).toMatch(/^the state has a newer format/);
  });
});

test("a state cut off at any byte is never taken for a smaller one", async () => {
  const text = await recorded();
  const whole = parseState(text, expected);
  const lengths = Array.from({ length: text.length }, (_, length) => length);
  const survivors = lengths.filter((length) => {
    const read = parseOrRefuse(text.slice(0, length));
    if (read) expect(read).toEqual(whole);
    return read !== undefined;
  });

  // Only the line feed at the end may be missing.
  expect(text.endsWith("}\n")).toBe(true);
  expect(survivors).toEqual([text.length - 1]);
});

describe("Rejections", () => {
  test("rejects a folder", async () => {
    await mkdir(file);
    expect(await messageOf(readLocalState(file, expected, noWait))).toMatchInlineSnapshot(
      `"the state cannot be read: demo.tfstate (EISDIR); correct the spec's backend or the file's rights"`,
    );
  });
});

const noWait: Wait = () => Promise.resolve();

const recorded = (): Promise<string> =>
  readFile(new URL("../fixtures/local.state.json", import.meta.url), "utf8");

function parseOrRefuse(text: string): Deployed | undefined {
  try {
    return parseState(text, expected);
  } catch {
    return undefined;
  }
}

async function messageOf(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("it was not refused");
}
