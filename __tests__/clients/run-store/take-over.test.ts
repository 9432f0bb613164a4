import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { changeHold, readHold } from "../../../clients/run-store/hold.js";
import { LogReader } from "../../../clients/run-store/run-log.js";
import { leftIn, takeOver } from "../../../clients/run-store/take-over.js";
import type { Hold } from "../../../cluster/run/hold.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import { MemoryStore } from "../../support/memory-store.js";
import { failure } from "../../support/refusal.js";
import { logged } from "../../support/run-records.js";

const OLD: LogEvent = { at: "2026-11-20T09:00:00.000Z", run: "old", event: "run-started" };
const NEW: LogEvent = { at: "2026-11-21T09:00:00.000Z", run: "new", event: "run-started" };
const HOLD: Hold = { kind: "pause", since: "2026-11-20T09:00:00.000Z", by: "ann@laptop" };

let folder: string;
let store: MemoryStore;
const events = async (): Promise<readonly LogEvent[]> =>
  (await new LogReader(store).read(leftIn(folder).log)).events;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "rollout-take-")), ".rollout", "demo");
  mkdirSync(folder, { recursive: true });
  store = new MemoryStore();
});

afterEach(() => {
  rmSync(join(folder, "..", ".."), { recursive: true });
});

test("a log and a hold of before are taken over once, and stand before all that came since", async () => {
  writeFileSync(join(folder, "log.jsonl"), `${JSON.stringify(OLD)}\n`);
  writeFileSync(join(folder, "hold.json"), JSON.stringify(HOLD));
  await logged(store, [NEW]);
  expect(await events()).toEqual([OLD, NEW]);

  await takeOver(store, folder);

  expect(readdirSync(folder)).toEqual([]);
  expect(await events()).toEqual([OLD, NEW]);
  expect(await readHold(store, Date.now())).toEqual(HOLD);
  await takeOver(store, folder);
  expect(await events()).toEqual([OLD, NEW]);
});

test("cut off before the folder was emptied, it is taken over to the same", async () => {
  writeFileSync(join(folder, "log.jsonl"), `${JSON.stringify(OLD)}\n`);
  await takeOver(store, folder);
  writeFileSync(join(folder, "log.jsonl"), `${JSON.stringify(OLD)}\n`);
  await takeOver(store, folder);
  expect(await events()).toEqual([OLD]);
});

test("a hold that somebody else has put there since is left", async () => {
  const other: Hold = { ...HOLD, by: "bob@laptop" };
  await changeHold(store, Date.now(), () => other);
  writeFileSync(join(folder, "hold.json"), JSON.stringify(HOLD));
  await takeOver(store, folder);
  expect(await readHold(store, Date.now())).toEqual(other);
});

test("refuses while a run of such a version is under way", async () => {
  const holder = { id: "1", by: "ann@laptop", host: hostname(), pid: process.pid, since: OLD.at };
  writeFileSync(join(folder, "lock"), JSON.stringify({ ...holder, command: "rollout deploy web-0" }));
  writeFileSync(join(folder, "hold.json"), JSON.stringify(HOLD));
  expect(await failure(takeOver(store, folder))).toBe(
    `a run of an earlier version is under way: rollout deploy web-0, by ann@laptop (process ${String(process.pid)}); wait until it has ended`,
  );
  expect(existsSync(join(folder, "hold.json"))).toBe(true);
});

test("refuses a hold that nobody understands", async () => {
  writeFileSync(join(folder, "hold.json"), "{");
  expect(await failure(takeOver(store, folder))).toBe(
    `${join(folder, "hold.json")} is damaged, so nothing is rolled; remove it`,
  );
});
