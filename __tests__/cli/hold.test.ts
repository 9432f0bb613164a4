import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runCancel, runPause, runResume } from "../../cli/hold.js";
import { whoRuns } from "../../clients/run-folder/folder.js";
import { takeLock } from "../../clients/run-folder/lock.js";
import { errorOf, LOCAL_EXAMPLE } from "../cluster/yaml/example.js";

const NOW = new Date("2026-11-21T10:00:00Z");
const LATER = new Date("2026-11-21T10:20:00Z");

let folder: string;
let env: { CLUSTER: string };
const inFolder = (path: string): string => join(folder, ".rollout", "demo", path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-hold-"));
  env = { CLUSTER: join(folder, "cluster.yaml") };
  writeFileSync(env.CLUSTER, LOCAL_EXAMPLE);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Without what differs from machine to machine. */
const said = (text: string): string => text.replaceAll(folder, "").replaceAll(whoRuns(), "ops@build-1");

describe("pause", () => {
  test("writes the flag, and names its file", () => {
    expect(said(runPause(env, { reason: "waiting for the DBA" }, NOW))).toBe(
      "demo is paused before the next group, in /.rollout/demo/hold.json; go on with: rollout resume",
    );
    expect(JSON.parse(readFileSync(inFolder("hold.json"), "utf8"))).toEqual({
      kind: "pause",
      since: "2026-11-21T10:00:00.000Z",
      by: whoRuns(),
      reason: "waiting for the DBA",
    });
  });

  test("changes nothing where it is paused already, and says since when and why", () => {
    runPause(env, { reason: "waiting for the DBA" }, NOW);
    const before = readFileSync(inFolder("hold.json"), "utf8");
    expect(said(runPause(env, { reason: "another" }, LATER))).toBe(
      'demo is already paused (since 10:00 UTC by ops@build-1, "waiting for the DBA"), in /.rollout/demo/hold.json',
    );
    expect(readFileSync(inFolder("hold.json"), "utf8")).toBe(before);
  });

  test("refuses to take the place of a cancel", () => {
    const lock = takeLock(inFolder(""), { command: "rollout deploy --all", now: NOW });
    runCancel(env, {}, NOW);
    lock.release();
    expect(said(errorOf(() => runPause(env, {}, LATER)))).toBe(
      "demo is being cancelled (since 10:00 UTC by ops@build-1), so there is nothing to pause; take that back with: rollout resume",
    );
  });
});

describe("resume", () => {
  test("takes the flag away, and says what it was", () => {
    runPause(env, { reason: "waiting for the DBA" }, NOW);
    expect(said(runResume(env, LATER))).toBe(
      'demo goes on (was paused since 10:00 UTC by ops@build-1, "waiting for the DBA"); no run is under way: start one with rollout deploy',
    );
    expect(existsSync(inFolder("hold.json"))).toBe(false);
  });

  test("does nothing where nothing is paused", () => {
    expect(said(runResume(env, NOW))).toBe("demo is not paused (there is no /.rollout/demo/hold.json)");
  });

  test("takes a cancel back while the run is still at its group", () => {
    const lock = takeLock(inFolder(""), { command: "rollout deploy --all", now: NOW });
    runCancel(env, {}, NOW);
    expect(said(runResume(env, LATER))).toBe(
      "demo goes on (was being cancelled since 10:00 UTC by ops@build-1)",
    );
    lock.release();
  });

  test("removes a flag that cannot be read", () => {
    mkdirSync(inFolder(""), { recursive: true });
    writeFileSync(inFolder("hold.json"), "{");
    expect(said(runResume(env, NOW))).toBe(
      "demo goes on: /.rollout/demo/hold.json, which could not be read, is removed",
    );
    expect(existsSync(inFolder("hold.json"))).toBe(false);
  });
});

describe("cancel", () => {
  test("says that there is nothing to cancel where no run is", () => {
    expect(runCancel(env, {}, NOW)).toBe(
      "no run of demo is under way on this machine, so there is nothing to cancel; see rollout status",
    );
    expect(existsSync(inFolder("hold.json"))).toBe(false);
  });

  test("says which run ends when; once more changes nothing, with --undo it does", () => {
    const lock = takeLock(inFolder(""), { command: "rollout deploy --all", now: NOW });
    const pid = String(process.pid);
    expect(said(runCancel(env, {}, NOW))).toBe(
      `demo is being cancelled: rollout deploy --all (process ${pid}) ends once the group in flight is whole again, in /.rollout/demo/hold.json`,
    );
    expect(said(runCancel(env, {}, LATER))).toBe(
      "demo is already being cancelled (since 10:00 UTC by ops@build-1), in /.rollout/demo/hold.json",
    );
    expect(said(runCancel(env, { undo: true }, LATER))).toBe(
      `demo is being cancelled: rollout deploy --all (process ${pid}) ends once the group in flight is back on its last image, in /.rollout/demo/hold.json`,
    );
    expect(JSON.parse(readFileSync(inFolder("hold.json"), "utf8"))).toMatchObject({
      kind: "cancel",
      undo: true,
    });
    lock.release();
  });

  test("takes the place of a pause, which would keep the run waiting", () => {
    const lock = takeLock(inFolder(""), { command: "rollout deploy --all", now: NOW });
    runPause(env, {}, NOW);
    runCancel(env, {}, NOW);
    expect(JSON.parse(readFileSync(inFolder("hold.json"), "utf8"))).toMatchObject({ kind: "cancel" });
    lock.release();
  });
});
