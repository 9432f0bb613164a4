import { hostname } from "node:os";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { endGone, lockHolder, RunLock, type LockRequest } from "../../../clients/run-store/run-lock.js";
import type { RunStore } from "../../../clients/run-store/run-store.js";
import { whoRuns } from "../../../clients/who-runs.js";
import { UserError } from "../../../cluster/user-error.js";
import { MemoryStore, seenBy } from "../../support/memory-store.js";
import { failure } from "../../support/refusal.js";
import { leaveLock } from "../../support/run-records.js";

const START = Date.parse("2026-11-21T09:12:00Z");
/** No process has so high a number. */
const NOBODY = 2 ** 22 + 1;
const COMMAND = "rollout deploy broker-1";

let now: number;
let store: MemoryStore;
/** Waits until the test moves the clock. */
const waiting: (() => void)[] = [];
const clock = {
  now: () => now,
  pause: (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      waiting.push(resolve);
      signal.onabort = () => {
        reject(new Error("ended"));
      };
    }),
};
const take = (more: Partial<LockRequest> = {}, from: RunStore = store): Promise<RunLock> =>
  RunLock.take(from, { run: "r1", command: COMMAND, clock, ...more });
const other = { command: "rollout deploy web-0" };

beforeEach(() => {
  now = START;
  store = new MemoryStore(() => now);
  waiting.length = 0;
});

test("a lock says who holds it until it is released", async () => {
  const lock = await take();
  expect(await lockHolder(store)).toEqual({
    run: "r1",
    by: whoRuns(),
    host: hostname(),
    pid: process.pid,
    since: "2026-11-21T09:12:00.000Z",
    command: COMMAND,
    isGone: false,
  });
  await lock.release();
  await lock.release();
  expect(await lockHolder(store)).toBeUndefined();
  await take(other);
});

test("refuses a second run, the same command too, naming who holds the lock", async () => {
  await take();
  const refused = `another run is under way: rollout deploy broker-1, by ${whoRuns()} (process ${String(process.pid)}) since 2026-11-21T09:12:00.000Z; wait until it has ended (rollout status --watch), or end it: rollout cancel`;
  expect(await failure(take())).toBe(refused);
  expect(await failure(take({ ...other, mayFollow: () => Promise.resolve(true) }))).toBe(refused);
});

test("of many that take it at once one does", async () => {
  const tried = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
  expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

describe("a lock whose run is gone", () => {
  const left = "finish what it began with the same command, or give that up first: rollout cancel";

  test("is taken over by the same command, and by who finishes what it began", async () => {
    await leaveLock(store, { pid: NOBODY, command: COMMAND });
    await (await take()).release();
    await leaveLock(store, { pid: NOBODY, command: COMMAND });
    await take({ ...other, mayFollow: () => Promise.resolve(true) });
  });

  test("refuses another goal, and is free for it once it was given up", async () => {
    await leaveLock(store, { pid: NOBODY, command: COMMAND });
    expect(await failure(take(other))).toBe(
      `a run has ended without a word: ${COMMAND}, by ${whoRuns()} (process ${String(NOBODY)}) since 2026-11-21T08:00:00.000Z; ${left}`,
    );
    expect(await failure(take({ ...other, mayFollow: () => Promise.resolve(false) }))).toContain(left);
    expect(await endGone(store)).toMatchObject({ command: COMMAND });
    await take(other);
    expect(await endGone(store)).toBeUndefined();
  });

  test("of another machine is gone once it was not renewed for 180 s", async () => {
    await leaveLock(store, { pid: 1, host: "elsewhere", command: COMMAND });
    now += 180_000;
    expect(await failure(take())).toMatch(/^another run is under way: /);
    now += 1;
    await take();
  });
});

describe("a lock that is held", () => {
  test("is renewed every 20 s, so that nobody takes it", async () => {
    const lock = await take({ run: "mine" });
    const ended = new AbortController();
    const lost: string[] = [];
    const renewing = lock.renewUntil(ended.signal, ({ message }) => lost.push(message));
    for (let round = 0; round < 20; round++) {
      now += 20_000;
      await settled(() => waiting.length > 0);
      waiting.shift()?.();
      await settled(() => waiting.length > 0);
    }
    expect(await lockHolder(store)).toMatchObject({ run: "mine", isGone: false });
    ended.abort();
    await renewing;
    expect(lost).toEqual([]);
  });

  test("refuses to begin anything once somebody else has taken it, and leaves that one's alone", async () => {
    const lock = await take();
    const ended = new AbortController();
    const lost: string[] = [];
    const renewing = lock.renewUntil(ended.signal, ({ message }) => lost.push(message));
    await leaveLock(store, { pid: process.pid, command: "rollout undo web-0" });
    const taken = `the lock of this run was taken over, by ${whoRuns()}: rollout undo web-0; nothing more is begun here: see rollout status`;
    expect(await failure(lock.prove())).toBe(taken);
    waiting.shift()?.();
    await renewing;
    expect(lost).toEqual([taken]);
    await lock.release();
    expect(await lockHolder(store)).toMatchObject({ command: "rollout undo web-0" });
  });

  test("is this run's still where the answer to its renewal was lost", async () => {
    let isLost = false;
    const shaky: RunStore = seenBy(store, {
      write: async (...args) => {
        const tag = await store.write(...args);
        if (isLost) throw new UserError("the answer was lost");
        return tag;
      },
    });
    const lock = await take({}, shaky);
    isLost = true;
    await lock.prove();
    isLost = false;
    await lock.prove();
    await lock.release();
    expect(await lockHolder(store)).toBeUndefined();
  });

  test("refuses to begin anything once it could not be renewed for 90 s, and not before", async () => {
    let isDown = false;
    const down = (): Promise<never> => Promise.reject(new UserError("AWS does not answer"));
    const shaky: RunStore = seenBy(store, {
      write: (...args) => (isDown ? down() : store.write(...args)),
    });
    const lock = await take({}, shaky);
    isDown = true;
    now += 89_000;
    await lock.prove();
    now += 1_000;
    expect(await failure(lock.prove())).toBe(
      "the lock could not be renewed for 90s (AWS does not answer), so nothing more is begun; run the same command again",
    );
    isDown = false;
    await lock.prove();
  });
});

test.each(["none", "match"] as const)(
  "refuses a store that drops a condition (%s) at its first use",
  async (dropped) => {
    const careless: RunStore = seenBy(store, {
      where: "s3://states/demo.rollout",
      write: async (name, text, seen) => {
        const found = (await store.read(name))?.tag;
        const isDropped = (seen === undefined) === (dropped === "none");
        return store.write(name, text, isDropped ? found : seen);
      },
    });
    expect(await failure(take({}, careless))).toBe(
      "s3://states/demo.rollout does not keep the conditions of writes (If-None-Match, If-Match), so two runs could change the cluster at once; use S3, or a service that has conditional writes",
    );
    expect(await store.read("lock")).toBeUndefined();
  },
);

test("refuses a lock that nobody understands", async () => {
  await store.write("lock", "{", undefined);
  expect(await failure(take())).toBe(
    "memory/lock is damaged, so nothing is rolled; see that no run is under way, and remove it",
  );
});

/** Until what was begun has come to where it waits. */
async function settled(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isSo(); turn++) await Promise.resolve();
}
