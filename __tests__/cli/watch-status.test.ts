import { expect, test } from "@jest/globals";
import { watchLineSchema } from "../../cli/output/watch.js";
import { watchStatus, type WatchArgs } from "../../cli/watch-status.js";
import type { Situation } from "../../rollout/status/situation.js";
import { statusOf, type Status } from "../../rollout/status/status.js";
import { UserError } from "../../cluster/user-error.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { CANCEL, DRAINING, GATE_FAILED, NOW, PAUSE, RUN, runOf, situationOf } from "../support/situation.js";

const spec = localSpec();
const standing = deployedAs(spec);
const pending = change(spec, (draft) => {
  poolOf(draft, "broker").images[0] = "ami-0bbb";
});
const inFlight = withGroup(standing, "broker-0", { leave: false });
const [first] = groupIn(standing, "broker-0").revisions;
const at = (number: number) =>
  withGroup(standing, "broker-0", { revisions: first ? [{ ...first, number }] : [] });

const healthy = situationOf(spec, standing);
const waiting = situationOf(pending, standing);
const rolling = situationOf(pending, inFlight, { run: RUN, events: DRAINING });

test("prints a line whenever it changed, and ends when all is as desired", async () => {
  expect(await watch([waiting, waiting, rolling, rolling, healthy])).toEqual([
    "10:00:00 UTC  pending: broker-0: ami-0aaa -> ami-0bbb",
    "10:00:04 UTC  progressing: broker-0 leave: 2 of 9 allocations left",
    "10:00:08 UTC  healthy: all 12 groups are as desired",
  ]);
});

test("prints an object a line as JSON, of the published shape", async () => {
  const lines = await watch([rolling, healthy], { format: "json" });
  const objects = lines.map((line) => watchLineSchema.parse(JSON.parse(line)));
  expect(objects).toMatchObject([
    { phase: "progressing", run: { pid: 4711 } },
    { phase: "healthy", run: null },
  ]);
});

test("goes on over what cannot be read for a moment, and says it once", async () => {
  const broken = new UserError("the state is being written");
  expect(await watch([rolling, broken, broken, rolling, healthy])).toEqual([
    "10:00:00 UTC  progressing: broker-0 leave: 2 of 9 allocations left",
    "10:00:02 UTC  unknown: the state is being written",
    "10:00:06 UTC  progressing: broker-0 leave: 2 of 9 allocations left",
    "10:00:08 UTC  healthy: all 12 groups are as desired",
  ]);
  const [, unknown = ""] = await watch([rolling, broken, healthy], { format: "json" });
  expect(watchLineSchema.parse(JSON.parse(unknown))).toEqual({
    at: "2026-11-21T10:00:02.000Z",
    unknown: "the state is being written",
  });
});

test("does not begin where nothing can be read, and hides no bug", async () => {
  expect(await failure(watch([new UserError("cluster.yaml: the file is empty")]))).toBe(
    "cluster.yaml: the file is empty",
  );
  expect(await failure(watch([rolling, new TypeError("a bug")]))).toBe("a bug");
});

test("ends when paused, with who, when and why, once the group at hand is finished", async () => {
  const paused = situationOf(pending, inFlight, { hold: PAUSE, run: RUN, events: DRAINING });
  const between = situationOf(pending, standing, { hold: PAUSE, run: RUN });
  const alone = situationOf(pending, standing, { hold: PAUSE, run: { ...RUN, pid: undefined } });
  const said = 'paused: since 09:12 UTC by ops@build-1, "waiting for the DBA"';
  expect(await failure(watch([rolling, paused, between]))).toBe(said);
  expect(
    await failure(watch([rolling, paused, alone, situationOf(pending, standing, { hold: PAUSE })])),
  ).toBe(said);
  expect(await watch([rolling, paused, paused, between], { untilPaused: true })).toEqual([
    "10:00:00 UTC  progressing: broker-0 leave: 2 of 9 allocations left",
    `10:00:02 UTC  ${said}; broker-0 is finished first`,
    `10:00:06 UTC  ${said}`,
  ]);
  expect(await failure(watch([paused], { untilPaused: true, timeoutSeconds: 10 }))).toMatch(/^timed out /);
});

test("ends when the roll failed, also where a pause is waited for", async () => {
  const failed = situationOf(pending, inFlight, { events: GATE_FAILED });
  for (const untilPaused of [false, true]) {
    expect(await failure(watch([rolling, failed], { untilPaused }))).toBe(
      "failed: broker-0 gate: not ready within 15m",
    );
  }
});

test("ends when the run was taken back meanwhile, although all is as desired; not when that was before", async () => {
  const undone = runOf([-1, "run-started"], [-2, "run-ended", { result: "undone", message: "not ready" }]);
  expect(await failure(watch([rolling, situationOf(spec, standing, { events: undone })]))).toBe(
    "the run ended undone: not ready",
  );
  await expect(
    watch([situationOf(spec, standing, { events: runOf([5, "run-ended", { result: "undone" }]) })]),
  ).resolves.toHaveLength(1);
});

test("ends when it was cancelled, once the run is over", async () => {
  const ending = situationOf(pending, inFlight, { hold: CANCEL, run: RUN, events: DRAINING });
  const over = situationOf(pending, standing, { hold: CANCEL });
  expect(await failure(watch([rolling, ending, over]))).toBe(
    "cancelled: since 09:12 UTC by ops@build-1; no run is under way",
  );
});

test("ends on a spec that the policy refuses, unless a run is at it", async () => {
  const two = change(pending, (draft) => {
    poolOf(draft, "broker").images[1] = "ami-0bbb";
  });
  expect(await failure(watch([situationOf(two, standing, { run: RUN }), situationOf(two, standing)]))).toBe(
    "invalid spec: 2 groups are pending and rollout.pendingGroups is one: broker-0, broker-1",
  );
});

test("gives up when its time is up, and names what is not so and the last that it saw", async () => {
  expect(await failure(watch([rolling], { timeoutSeconds: 60 }))).toBe(
    "timed out after 1m: demo is not healthy, but progressing: broker-0 leave: 2 of 9 allocations left; watch on with a longer --timeout",
  );
});

test("says what goes on when somebody ends it", async () => {
  expect(await failure(watch([rolling], {}, AbortSignal.abort()))).toBe(
    "stopped watching; the roll goes on (rollout cancel ends it)",
  );
  expect(await failure(watch([waiting], {}, AbortSignal.abort()))).toBe("stopped watching");
});

test("waits for a revision of one group, whatever the others do", async () => {
  const pinned = { group: "broker-0", revision: 2 };
  const [one, two] = [situationOf(spec, at(1)), situationOf(spec, at(2))];
  expect(await watch([one, rolling, two], pinned)).toEqual([
    "10:00:00 UTC  healthy: broker-0 is as desired",
    "10:00:02 UTC  progressing: broker-0 leave: 2 of 9 allocations left",
    "10:00:04 UTC  healthy: broker-0 is as desired",
  ]);
  expect(await failure(watch([one, situationOf(spec, at(3))], pinned))).toBe(
    "revision 2 of broker-0 is superseded: it runs revision 3",
  );
  const broken = situationOf(spec, withGroup(at(2), "broker-0", { leave: false }));
  expect(await failure(watch([broken], { ...pinned, timeoutSeconds: 10 }))).toBe(
    "timed out after 10s: broker-0 is at revision 2, but in flight: broker-0; no run is under way; watch on with a longer --timeout",
  );
  expect(await failure(watch([one], { ...pinned, timeoutSeconds: 10 }))).toBe(
    "timed out after 10s: broker-0 is not at revision 2, but at 1; healthy: broker-0 is as desired; watch on with a longer --timeout",
  );
});

/** Watches what is so, one look after the other; the last stays. Time passes by itself. */
async function watch(
  seen: readonly (Situation | Error)[],
  args: Partial<WatchArgs> = {},
  signal = new AbortController().signal,
): Promise<string[]> {
  const lines: string[] = [];
  let [now, looks] = [NOW, 0];
  const read = (when: number): Promise<Status> => {
    const found = seen[Math.min(looks++, seen.length - 1)];
    if (found === undefined || found instanceof Error) return Promise.reject(found ?? new Error("nothing"));
    return Promise.resolve(statusOf({ ...found, at: when }, [], args.group));
  };
  const clock = {
    now: () => now,
    pause: (ms: number, ending: AbortSignal) => {
      now += ms;
      return ending.aborted ? Promise.reject(new Error("aborted")) : Promise.resolve();
    },
  };
  await watchStatus(
    { read, clock, intervalMs: 2000, say: (line) => lines.push(line), signal },
    {
      format: "text",
      group: undefined,
      timeoutSeconds: 1800,
      revision: undefined,
      untilPaused: false,
      ...args,
    },
  );
  return lines;
}
