import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { RunLock } from "../../clients/run-store/run-lock.js";
import { LogReader } from "../../clients/run-store/run-log.js";
import { realClock } from "../../clients/clock.js";
import { findGroup } from "../../cluster/find-group.js";
import { parseHookFile, formatHookFile } from "../../cluster/hooks/hook-file.js";
import { Interruption } from "../../cluster/interruption.js";
import { UserError } from "../../cluster/user-error.js";
import { noteLeaving } from "../../hooks/mark.js";
import { tellFailure } from "../../hooks/tell-failure.js";
import { historyOf } from "../../rollout/log/history.js";
import { readRuns } from "../../rollout/log/read-runs.js";
import { rollFacts } from "../../rollout/log/roll-facts.js";
import { phaseOf } from "../../rollout/status/phase.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../support/fixtures.js";
import { MemoryStore } from "../support/memory-store.js";
import { situationOf } from "../support/situation.js";

const before = localSpec();
const deployed = deployedAs(before);
const spec = change(before, (draft) => {
  poolOf(draft, "broker").images[0] = "ami-0bbb";
});
const file = parseHookFile(formatHookFile({ spec, deployed, specFolder: "." }));
const refused = new UserError("broker-0 cannot leave:\n  no node has room");

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "rollout-tell-"));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The folder of a view, with what a hook notes first: that its roll began ten minutes ago. */
function viewOf(group: string): string {
  const folder = join(mkdtempSync(join(root, "of-")), group);
  mkdirSync(join(folder, "marks"), { recursive: true });
  const begun = new Date(Date.now() - 600_000).toISOString();
  writeFileSync(join(folder, "marks", `begun-${group}`), `${findGroup(spec, group).hash} ${begun}`);
  return folder;
}

async function told(store: MemoryStore) {
  const { events, notes } = await new LogReader(store).read();
  expect(notes).toEqual([]);
  return { events, runs: readRuns(events) };
}

test("a hook that Terraform alone has called and that failed is in history and in status", async () => {
  const store = new MemoryStore(realClock.now);
  const folder = viewOf("broker-0");
  await tellFailure(
    { file, folder, store: () => Promise.resolve(store) },
    { hook: "leave", subject: "broker-0" },
    refused,
  );
  const { events, runs } = await told(store);
  const message = `hook leave broker-0: ${refused.message}`;
  const [, failed, ...more] = historyOf(groupIn(deployed, "broker-0"), runs);
  expect(failed).toMatchObject({
    revision: 2,
    image: "ami-0bbb",
    result: "failed",
    message,
    deployed: false,
  });
  expect(failed?.seconds).toBeGreaterThanOrEqual(600);
  expect(more).toEqual([]);
  expect(runs.map(({ command }) => command)).toEqual(["Terraform alone"]);
  expect(phaseOf(situationOf(spec, deployed, { events }))).toMatchObject({
    phase: "failed",
    message: "broker-0 apply: hook leave broker-0: broker-0 cannot leave: no node has room",
    next: "npx rollout deploy broker-0",
  });
  // A leave that is refused has taken nothing, and no roll of a goal has failed by it.
  expect(rollFacts(runs, deployed)).toMatchObject({ out: [], failure: undefined });
});

test("of several hooks of one apply the first is written, for the group whose view calls them", async () => {
  const store = new MemoryStore(realClock.now);
  const folder = viewOf("consul-server-1");
  const now = Date.now();
  for (const [seconds, subject] of ["broker-0-0", "consul-server-1-0"].entries())
    await tellFailure(
      { file, folder, store: () => Promise.resolve(store) },
      { hook: "configure-consul", subject },
      refused,
      { clock: { now: () => now + seconds * 3000 }, parent: process.ppid },
    );
  const { runs } = await told(store);
  expect(runs.flatMap(({ attempts }) => attempts.map(({ group, end }) => [group, end?.message]))).toEqual([
    ["consul-server-1", `hook configure-consul broker-0-0: ${refused.message}`],
  ]);
});

test("a Terraform of another day that has the same number is another apply", async () => {
  const store = new MemoryStore(realClock.now);
  const context = { file, folder: viewOf("broker-0"), store: () => Promise.resolve(store) };
  for (const later of [0, 3_600_000])
    await tellFailure(context, { hook: "ready", subject: "broker-0" }, refused, {
      clock: { now: () => Date.now() + later },
      parent: process.ppid,
    });
  expect((await told(store)).runs).toHaveLength(2);
});

test("a gate that somebody interrupts is written as that", async () => {
  const store = new MemoryStore(realClock.now);
  const args = { hook: "ready", subject: "broker-0" } as const;
  await tellFailure(
    { file, folder: viewOf("broker-0"), store: () => Promise.resolve(store) },
    args,
    new Interruption("interrupted"),
  );
  const [run] = (await told(store)).runs;
  expect(run?.attempts).toMatchObject([{ steps: [{ step: "gate" }], end: { result: "interrupted" } }]);
});

test("nothing is written by a hook whose Terraform was killed, since nobody knows what had called that", async () => {
  const store = new MemoryStore(realClock.now);
  const context = { file, folder: viewOf("broker-0"), store: () => Promise.resolve(store) };
  const called = { clock: realClock, parent: process.ppid + 1 };
  await tellFailure(context, { hook: "ready", subject: "broker-0" }, refused, called);
  expect((await told(store)).events).toEqual([]);
});

test("nothing is written where a run has the lock, which writes it itself, or where the store cannot be written", async () => {
  const store = new MemoryStore(realClock.now);
  const args = { hook: "leave", subject: "broker-0" } as const;
  const lock = await RunLock.take(store, {
    run: "run-1",
    command: "rollout deploy broker-0",
    clock: realClock,
  });
  await tellFailure({ file, folder: viewOf("broker-0"), store: () => Promise.resolve(store) }, args, refused);
  expect((await told(store)).events).toEqual([]);
  await lock.release();
  await tellFailure(
    { file, folder: viewOf("broker-0"), store: () => Promise.reject(new UserError("no rights")) },
    args,
    refused,
  );
  expect((await told(store)).events).toEqual([]);
});

test("a leave that ended half-way has begun: whoever sets it back, or waits for a window, is told to finish it", async () => {
  const store = new MemoryStore(realClock.now);
  const folder = viewOf("broker-0");
  noteLeaving(folder, findGroup(spec, "broker-0"));
  const context = { file, folder, store: () => Promise.resolve(store) };
  await tellFailure(context, { hook: "leave", subject: "broker-0" }, refused);
  const { events, runs } = await told(store);
  expect(rollFacts(runs, deployed).out).toEqual(["broker-0"]);
  const phases = [spec, before].map((wanted) => phaseOf(situationOf(wanted, deployed, { events })));
  expect(phases).toMatchObject([
    { phase: "failed", next: "npx rollout deploy broker-0" },
    { phase: "in flight", next: "npx rollout restart broker-0" },
  ]);
  // Terraform alone has finished it since.
  const { hosts, revisions } = groupIn(deployed, "broker-0");
  const [last] = revisions;
  if (!last) throw new Error("no revision");
  const rolled = withGroup(deployed, "broker-0", { hosts, revisions: [last, { ...last, number: 2 }] });
  expect(rollFacts(runs, rolled).out).toEqual([]);
});

test("of another template than that which was noted nothing has left", async () => {
  const store = new MemoryStore(realClock.now);
  const folder = viewOf("broker-0");
  noteLeaving(folder, { name: "broker-0", hash: "another" });
  const context = { file, folder, store: () => Promise.resolve(store) };
  await tellFailure(context, { hook: "leave", subject: "broker-0" }, refused);
  const { runs } = await told(store);
  expect(rollFacts(runs, deployed).out).toEqual([]);
});
