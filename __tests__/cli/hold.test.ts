import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runCancel, runPause, runResume } from "../../cli/hold.js";
import { readGoal, setGoal } from "../../clients/run-store/goal.js";
import { readHold } from "../../clients/run-store/hold.js";
import type { RunStore } from "../../clients/run-store/run-store.js";
import { whoRuns } from "../../clients/who-runs.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { failure } from "../support/refusal.js";
import { GOAL } from "../support/situation.js";
import { leaveLock, locked, storeIn } from "../support/run-records.js";

const NOW = new Date("2026-11-21T10:00:00Z");
const LATER = new Date("2026-11-21T10:20:00Z");

let folder: string;
let env: { CLUSTER: string };
let store: RunStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-hold-"));
  env = { CLUSTER: join(folder, "cluster.yaml") };
  writeFileSync(env.CLUSTER, LOCAL_EXAMPLE);
  store = storeIn(folder);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Without what differs from machine to machine. */
const said = (text: string): string => text.replaceAll(folder, "").replaceAll(whoRuns(), "ops@build-1");

describe("pause", () => {
  test("writes the flag, and names its file", async () => {
    expect(said(await runPause(env, { reason: "waiting for the DBA" }, NOW))).toBe(
      "demo is paused before the next group, in terraform.demo.tfstate.rollout; go on with: rollout resume",
    );
    expect(await readHold(store, NOW.getTime())).toEqual({
      kind: "pause",
      since: "2026-11-21T10:00:00.000Z",
      by: whoRuns(),
      reason: "waiting for the DBA",
    });
  });

  test("changes nothing where it is paused already, and says since when and why", async () => {
    await runPause(env, { reason: "waiting for the DBA" }, NOW);
    const before = await store.read("hold");
    expect(said(await runPause(env, { reason: "another" }, LATER))).toBe(
      'demo is already paused (since 10:00 UTC by ops@build-1, "waiting for the DBA"), in terraform.demo.tfstate.rollout',
    );
    expect(await store.read("hold")).toMatchObject({ tag: before?.tag });
  });

  test("is a freeze with --until, which ends by itself", async () => {
    const until = "2026-11-21T13:00+01:00";
    expect(said(await runPause(env, { reason: "holidays", until }, NOW))).toBe(
      "demo is paused before the next group until 12:00 UTC, in terraform.demo.tfstate.rollout; go on before that with: rollout resume",
    );
    expect(await readHold(store, Date.parse("2026-11-21T11:59:59Z"))).toMatchObject({
      kind: "pause",
      until: "2026-11-21T12:00:00.000Z",
    });
    const end = new Date("2026-11-21T12:00:00Z");
    expect(await readHold(store, end.getTime())).toBeUndefined();
    expect(said(await runResume(env, end))).toMatch(/^demo is not paused /);
    expect(said(await runPause(env, {}, end))).toMatch(/^demo is paused before the next group, /);
    expect(said(await failure(runPause(env, { until: "2026-12-24T00:00Z" }, end)))).toBe(
      "demo is already paused (since 12:00 UTC by ops@build-1), and that is kept; to change it: rollout resume, and this again",
    );
  });

  describe("over a freeze", () => {
    const until = "2026-11-21T12:00Z";
    const shorter = 'since 10:00 UTC until 12:00 UTC by ops@build-1, "holidays"';

    beforeEach(() => runPause(env, { reason: "holidays", until }, NOW));

    test("takes its place where it has no end, and says what it replaces", async () => {
      expect(said(await runPause(env, { reason: "INCIDENT" }, LATER))).toBe(
        `demo is paused before the next group, in terraform.demo.tfstate.rollout, in place of the shorter pause (${shorter}); go on with: rollout resume`,
      );
      expect(await readHold(store, Date.parse("2026-12-24T00:00Z"))).toEqual({
        kind: "pause",
        since: LATER.toISOString(),
        by: whoRuns(),
        reason: "INCIDENT",
      });
    });

    test("takes its place where it ends later", async () => {
      expect(said(await runPause(env, { until: "2026-11-21T13:00Z" }, LATER))).toBe(
        `demo is paused before the next group until 13:00 UTC, in terraform.demo.tfstate.rollout, in place of the shorter pause (${shorter}); go on before that with: rollout resume`,
      );
      expect(await readHold(store, Date.parse(until))).toMatchObject({ until: "2026-11-21T13:00:00.000Z" });
    });

    test("changes nothing where it ends at the same time, and refuses what ends earlier", async () => {
      const before = await store.read("hold");
      expect(said(await runPause(env, { until }, LATER))).toBe(
        `demo is already paused (${shorter}), in terraform.demo.tfstate.rollout`,
      );
      expect(said(await failure(runPause(env, { until: "2026-11-21T11:00Z" }, LATER)))).toBe(
        `demo is already paused (${shorter}), and that is kept; to change it: rollout resume, and this again`,
      );
      expect(await store.read("hold")).toMatchObject({ tag: before?.tag });
    });
  });

  test.each([
    ["tomorrow", "expected a time with its zone, on a day that there is"],
    ["2026-12-24T18:00", "expected a time with its zone, on a day that there is"],
    ["2026-13-24T18:00Z", "expected a time with its zone, on a day that there is"],
    ["2027-02-30T10:00Z", "expected a time with its zone, on a day that there is"],
    ["2027-02-29T10:00:00+01:00", "expected a time with its zone, on a day that there is"],
    ["2026-11-21T10:00Z", "that is over; expected a time that is still to come"],
  ])("refuses --until %s, and pauses nothing", async (until, why) => {
    expect(await failure(runPause(env, { until }, NOW))).toBe(
      `--until: got ${JSON.stringify(until)}; ${why}, such as 2026-12-24T18:00+01:00 or 2026-12-24T17:00Z`,
    );
    expect(await readHold(store, NOW.getTime())).toBeUndefined();
  });

  test("refuses to take the place of a cancel", async () => {
    const lock = await locked(store, "rollout deploy --all");
    await runCancel(env, {}, NOW);
    await lock.release();
    expect(said(await failure(runPause(env, {}, LATER)))).toBe(
      "demo is being cancelled (since 10:00 UTC by ops@build-1), so there is nothing to pause; take that back with: rollout resume",
    );
  });
});

describe("resume", () => {
  test("takes the flag away, and says what it was", async () => {
    await runPause(env, { reason: "waiting for the DBA" }, NOW);
    expect(said(await runResume(env, LATER))).toBe(
      'demo goes on (was paused since 10:00 UTC by ops@build-1, "waiting for the DBA"); no run is under way: start one with rollout deploy',
    );
    expect(await readHold(store, NOW.getTime())).toBeUndefined();
  });

  test("does nothing where nothing is paused", async () => {
    expect(said(await runResume(env, NOW))).toBe(
      "demo is not paused (nothing holds it in terraform.demo.tfstate.rollout)",
    );
  });

  test("takes a cancel back while the run is still at its group", async () => {
    const lock = await locked(store, "rollout deploy --all");
    await runCancel(env, {}, NOW);
    expect(said(await runResume(env, LATER))).toBe(
      "demo goes on (was being cancelled since 10:00 UTC by ops@build-1)",
    );
    await lock.release();
  });

  test("removes a flag that cannot be read", async () => {
    await store.write("hold", "{", undefined);
    expect(said(await runResume(env, NOW))).toBe(
      "demo goes on: its hold in terraform.demo.tfstate.rollout, which could not be read, is removed",
    );
    expect(await readHold(store, NOW.getTime())).toBeUndefined();
  });
});

describe("cancel", () => {
  test("says that there is nothing to cancel where no run is", async () => {
    expect(await runCancel(env, {}, NOW)).toBe(
      "no run of demo is under way, so there is nothing to cancel; see rollout status",
    );
    expect(await readHold(store, NOW.getTime())).toBeUndefined();
  });

  test("says which run ends when; once more changes nothing, with --undo it does", async () => {
    const lock = await locked(store, "rollout deploy --all");
    const pid = String(process.pid);
    expect(said(await runCancel(env, {}, NOW))).toBe(
      `demo is being cancelled: rollout deploy --all (process ${pid}, by ops@build-1) ends once the group in flight is whole again, in terraform.demo.tfstate.rollout`,
    );
    expect(said(await runCancel(env, {}, LATER))).toBe(
      "demo is already being cancelled (since 10:00 UTC by ops@build-1), in terraform.demo.tfstate.rollout",
    );
    expect(said(await runCancel(env, { undo: true }, LATER))).toBe(
      `demo is being cancelled: rollout deploy --all (process ${pid}, by ops@build-1) ends once the group in flight is back on its last image, in terraform.demo.tfstate.rollout`,
    );
    expect(await readHold(store, NOW.getTime())).toMatchObject({
      kind: "cancel",
      undo: true,
    });
    await lock.release();
  });

  test("takes the place of a pause, which would keep the run waiting", async () => {
    const lock = await locked(store, "rollout deploy --all");
    await runPause(env, {}, NOW);
    await runCancel(env, {}, NOW);
    expect(await readHold(store, NOW.getTime())).toMatchObject({ kind: "cancel" });
    await lock.release();
  });

  test("gives up a run that has ended without a word, so that another goal may follow", async () => {
    await leaveLock(store, { pid: 2 ** 22 + 1, command: "rollout deploy --all" });
    await setGoal(store, GOAL);
    expect(said(await runCancel(env, {}, NOW))).toBe(
      "demo: the run that ended without a word is given up (rollout deploy --all, by ops@build-1); see rollout status for what it has begun",
    );
    expect(await readHold(store, NOW.getTime())).toBeUndefined();
    expect(await readGoal(store)).toBeUndefined();
    await locked(store, "rollout deploy broker-1");
  });

  test("gives up what was to be rolled where no run is; one that is under way does so itself", async () => {
    await setGoal(store, GOAL);
    const lock = await locked(store, GOAL.command);
    await runCancel(env, {}, NOW);
    expect(await readGoal(store)).toEqual(GOAL);
    await lock.release();
    expect(said(await runCancel(env, {}, LATER))).toBe(
      "demo: what was to be rolled is given up (rollout deploy broker --image ami-0bbb, by ops@build-1); see rollout status",
    );
    expect(await readGoal(store)).toBeUndefined();
  });
});

test("a pause of a version before the run store holds on, and is taken over by the next verb", async () => {
  const before = join(folder, ".rollout", "demo");
  mkdirSync(before, { recursive: true });
  const hold = { kind: "pause", since: NOW.toISOString(), by: "ops@build-1" };
  writeFileSync(join(before, "hold.json"), JSON.stringify(hold));
  expect(said(await runPause(env, {}, LATER))).toBe(
    "demo is already paused (since 10:00 UTC by ops@build-1), in terraform.demo.tfstate.rollout",
  );
  expect(readdirSync(before)).toEqual([]);
  await runResume(env, LATER);
  expect(await readHold(store, NOW.getTime())).toBeUndefined();
});
