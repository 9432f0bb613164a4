import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type HeldLock, lockHolder, type LockHolder, tryLock } from "../../../clients/run-folder/lock.js";
import { runFolderOf } from "../../../clients/run-folder/folder.js";
import { whoRuns } from "../../../clients/who-runs.js";

const NOW = new Date("2026-11-21T09:12:00Z");
const LATER = new Date("2026-11-21T10:00:00Z");

let scratch: string;
let folder: string;
const lock = (): string => join(folder, "lock");

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "rollout-lock-"));
  folder = runFolderOf(join(scratch, "cluster.yaml"), "prod");
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

test("the run folder lies beside the spec, by the cluster's name", () => {
  expect(folder).toBe(join(scratch, ".rollout", "prod"));
});

test("a lock says who holds it, and leaves nothing once it is released", () => {
  const held = taken({ command: "rollout deploy broker-1", now: NOW });

  expect(lockHolder(folder)).toStrictEqual({
    id: held.holder.id,
    by: whoRuns(),
    host: hostname(),
    pid: process.pid,
    since: "2026-11-21T09:12:00.000Z",
    command: "rollout deploy broker-1",
  });

  held.release();
  held.release();
  expect(lockHolder(folder)).toBeUndefined();
  expect(readdirSync(folder)).toStrictEqual([]);
});

test("refuses a second holder, and says who has it", () => {
  const held = taken({ command: "rollout deploy broker-1", now: NOW });

  expect(tryLock(folder, { command: "rollout deploy --all", now: LATER })).toStrictEqual(held.holder);
  expect(lockHolder(folder)?.command).toBe("rollout deploy broker-1");
  expect(readdirSync(folder)).toStrictEqual(["lock"]);
});

test("refuses one that another machine holds, whose processes cannot be asked for", async () => {
  const pid = await endedProcess();
  write({ id: "1", by: "ann@elsewhere", host: "elsewhere", pid });

  expect(tryLock(folder, { command: "rollout deploy broker-1", now: NOW })).toMatchObject({
    by: "ann@elsewhere",
    pid,
  });
});

test("refuses one that cannot be read", () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(lock(), "{");

  expect(() => tryLock(folder, { command: "rollout deploy broker-1", now: NOW })).toThrow(
    new Error(`the lock ${lock()} is damaged; remove it if no run of this cluster is under way`),
  );
});

describe("a lock whose process is gone", () => {
  test("is taken over", async () => {
    write({ pid: await endedProcess() });
    expect(lockHolder(folder)).toBeUndefined();

    const held = taken({ command: "rollout deploy broker-1", now: NOW });

    expect(lockHolder(folder)).toStrictEqual(held.holder);
    expect(readdirSync(folder)).toStrictEqual(["lock"]);
  });

  test("is taken over even if who took it over was killed as it did so", async () => {
    write({ pid: await endedProcess() });
    write({ id: "2", pid: await endedProcess() }, "lock.next");

    const held = taken({ command: "rollout deploy broker-1", now: NOW });

    expect(lockHolder(folder)).toStrictEqual(held.holder);
    expect(readdirSync(folder)).toStrictEqual(["lock"]);
  });

  test("refuses to be taken over by two", async () => {
    write({ pid: await endedProcess() });
    write({ id: "2", pid: process.pid }, "lock.next");

    expect(tryLock(folder, { command: "rollout deploy broker-1", now: NOW })).toMatchObject({ id: "2" });
  });

  test("is not released by the one that it was taken from", () => {
    const held = taken({ command: "rollout deploy broker-1", now: NOW });
    write({ id: "2", pid: process.pid });

    held.release();

    expect(JSON.parse(readFileSync(lock(), "utf8"))).toMatchObject({ id: "2" });
  });
});

test("of many runs that find a dead lock at once exactly one takes it", async () => {
  write({ pid: await endedProcess() });
  const module = join(process.cwd(), "dist/clients/run-folder/lock.js");
  const script = `
    const { tryLock } = await import(${JSON.stringify(module)});
    process.stdin.once("data", () => {
      const lock = tryLock(${JSON.stringify(folder)}, { command: "one of many", now: new Date() });
      console.log("release" in lock ? "took" : lock.command);
      process.stdin.once("data", () => process.exit(0));
    });
    console.log("ready");`;
  const runs = Array.from({ length: 6 }, () => execa("node", ["--input-type=module", "-e", script]));
  const said = runs.map((run) => run.iterable()[Symbol.asyncIterator]());
  const next = async (): Promise<string[]> =>
    (await Promise.all(said.map((lines) => lines.next()))).map(({ value }) => String(value));
  try {
    expect(new Set(await next())).toStrictEqual(new Set(["ready"]));
    for (const run of runs) run.stdin.write("go\n");
    expect((await next()).sort()).toStrictEqual([...Array<string>(5).fill("one of many"), "took"]);
  } finally {
    for (const run of runs) run.stdin.write("end\n");
    await Promise.all(runs);
  }
});

function taken(request: { readonly command: string; readonly now: Date }): HeldLock {
  const lock: HeldLock | LockHolder = tryLock(folder, request);
  if (!("release" in lock)) throw new Error("somebody has it");
  return lock;
}

async function endedProcess(): Promise<number> {
  const child = execa("true");
  await child;
  return child.pid ?? 0;
}

function write(holder: { id?: string; by?: string; host?: string; pid: number }, name = "lock"): void {
  mkdirSync(folder, { recursive: true });
  const whole = {
    id: "1",
    by: `ann@${hostname()}`,
    host: hostname(),
    since: "2026-11-21T08:00:00.000Z",
    command: "rollout deploy broker-2",
    ...holder,
  };
  writeFileSync(join(folder, name), JSON.stringify(whole));
}
