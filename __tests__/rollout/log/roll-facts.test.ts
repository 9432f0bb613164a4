import { expect, test } from "@jest/globals";
import { isTo, outOf, rollFacts } from "../../../rollout/log/roll-facts.js";
import { readRuns } from "../../../rollout/log/read-runs.js";
import { deployedAs, groupIn, localSpec, withGroup } from "../../support/fixtures.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";

const START = Date.parse("2026-01-01T00:00:00Z");

/** Each group has its first revision. */
const STANDING = deployedAs(localSpec());

type Draft = Omit<LogEvent, "at" | "run">;

/** One event a minute. */
const log = (...drafts: readonly Draft[]): LogEvent[] =>
  drafts.map((draft, minute) => ({
    at: new Date(START + minute * 60_000).toISOString(),
    run: "r1",
    ...draft,
  }));

const factsOf = (events: readonly LogEvent[]) => rollFacts(readRuns(events), STANDING);

const started = (group: string, to = "ami-0bbb"): Draft => ({ event: "group-started", group, to });
const step = (group: string, name: NonNullable<LogEvent["step"]>): Draft => ({
  event: "step-started",
  group,
  step: name,
});
const ended = (group: string, result: NonNullable<LogEvent["result"]>): Draft => ({
  event: "group-ended",
  group,
  result,
  ...(result === "failed" ? { message: "nodes-eligible (0 of 1)" } : {}),
});
const runEnded = (result: NonNullable<LogEvent["result"]>): Draft => ({ event: "run-ended", result });
const RESUMED: Draft = { event: "released" };

const failing = [
  started("broker-0"),
  step("broker-0", "leave"),
  step("broker-0", "gate"),
  ended("broker-0", "failed"),
];
const FAILURE = { group: "broker-0", to: "ami-0bbb", message: "nodes-eligible (0 of 1)" };

test("an empty log says nothing", () => {
  expect(factsOf([])).toEqual({ out: [] });
});

test("what ended last, and when, is known, and when a roll was held or let go last", () => {
  const whole = { lastEnd: { group: "broker-0", at: START + 60_000 }, out: [] };
  expect(factsOf(log(started("broker-0"), ended("broker-0", "ok")))).toEqual(whole);
  expect(factsOf(log(started("broker-0"), ended("broker-0", "ok"), runEnded("ok")))).toEqual(whole);
  for (const event of ["held", "released"] as const)
    expect(factsOf(log(started("broker-0"), ended("broker-0", "ok"), { event }))).toEqual({
      ...whole,
      heldAt: START + 120_000,
    });
});

test("a change in place is no roll: it ends none, and brings no group back", () => {
  const rolled = [started("broker-0"), { ...ended("broker-0", "ok"), revision: 2 }, RESUMED];
  const changed = [step("broker-1", "plan"), step("broker-1", "apply"), ended("broker-1", "ok")];
  const { lastEnd, heldAt } = factsOf(log(...rolled));
  expect(factsOf(log(...rolled, ...changed))).toEqual({
    ...{ lastEnd, heldAt, out: [] },
    changedAt: START + 5 * 60_000,
  });
  const left = [started("broker-0"), step("broker-0", "leave"), { event: "run-started" } as const];
  expect(factsOf(log(...left, step("broker-0", "apply"), ended("broker-0", "ok"))).out).toEqual(["broker-0"]);
});

test("a group is out from its leave on until it is whole", () => {
  const left = [started("broker-0"), step("broker-0", "plan"), step("broker-0", "leave")];
  expect(factsOf(log(started("broker-0"), step("broker-0", "plan"))).out).toEqual([]);
  expect(factsOf(log(...left)).out).toEqual(["broker-0"]);
  expect(factsOf(log(...left, ended("broker-0", "failed"))).out).toEqual(["broker-0"]);
  expect(factsOf(log(...left, runEnded("failed"))).out).toEqual(["broker-0"]);
  expect(factsOf(log(...left, ended("broker-0", "ok"))).out).toEqual([]);
});

test("only a gate that was not passed is a failure: all else is tried again", () => {
  expect(factsOf(log(...failing)).failure).toEqual(FAILURE);
  expect(factsOf(log(...failing.slice(0, 2), ended("broker-0", "failed"))).failure).toBeUndefined();
  expect(factsOf(log(...failing.slice(0, 3), ended("broker-0", "interrupted"))).failure).toBeUndefined();
});

test("a roll that has ended is over; one that was killed or interrupted goes on", () => {
  const over = factsOf(log(...failing, RESUMED, runEnded("failed")));
  expect(over).toEqual({ heldAt: START + 4 * 60_000, out: ["broker-0"] });
  expect(factsOf(log(...failing)).failure).toEqual(FAILURE);
  expect(factsOf(log(...failing, runEnded("interrupted"), { event: "run-started" })).failure).toEqual(
    FAILURE,
  );
});

test("a roll is told by its template; where an earlier version wrote the log, by its image", () => {
  const group = { image: "ami-0bbb", hash: "0123456789" };
  expect(isTo({ to: "ami-0bbb", hash: "0123456789" }, group)).toBe(true);
  expect(isTo({ to: "ami-0bbb", hash: "9876543210" }, group)).toBe(false);
  expect(isTo({ to: "ami-0bbb", hash: undefined }, group)).toBe(true);
  expect(isTo({ to: "ami-0ccc", hash: undefined }, group)).toBe(false);
  const typed = log({ ...started("broker-0"), hash: "0123456789" }, ...failing.slice(1));
  expect(factsOf(typed).failure).toEqual({ ...FAILURE, hash: "0123456789" });
  expect(outOf(readRuns(typed), STANDING)).toMatchObject([{ group: "broker-0", hash: "0123456789" }]);
});

test("what Terraform alone has rolled since is out no more, though no log says so", () => {
  const events = log({ ...started("broker-0"), fromRevision: 1 }, step("broker-0", "leave"));
  const [first] = groupIn(STANDING, "broker-0").revisions;
  const since = withGroup(STANDING, "broker-0", { revisions: first ? [first, { ...first, number: 2 }] : [] });
  const runs = readRuns(events);
  expect([rollFacts(runs, STANDING).out, outOf(runs, STANDING)]).toMatchObject([
    ["broker-0"],
    [{ group: "broker-0" }],
  ]);
  expect([rollFacts(runs, since).out, outOf(runs, since)]).toEqual([[], []]);
  // An earlier version wrote no number, so nothing is known of it.
  const older = readRuns(log(started("broker-0"), step("broker-0", "leave")));
  expect(rollFacts(older, since).out).toEqual(["broker-0"]);
});

test("what a group came from is that of the roll in which it left, whatever was tried since", () => {
  const left = [{ ...started("broker-0"), from: "ami-0aaa", fromRevision: 1 }, step("broker-0", "leave")];
  const [first] = groupIn(STANDING, "broker-0").revisions;
  const since = withGroup(STANDING, "broker-0", { revisions: first ? [first, { ...first, number: 2 }] : [] });
  for (const tried of [{}, { from: "ami-0bbb", fromRevision: 2 }]) {
    const later = [
      { ...started("broker-0", "ami-0ccc"), ...tried },
      step("broker-0", "plan"),
      ended("broker-0", "failed"),
    ];
    const runs = readRuns(log(...left, ...later));
    expect(rollFacts(runs, since).out).toEqual([]);
    expect(outOf(runs, STANDING)).toEqual([{ group: "broker-0", from: "ami-0aaa", to: "ami-0ccc" }]);
  }
});
