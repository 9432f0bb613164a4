import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatHeld, held } from "../../../rollout/ready/held.js";
import type { Readiness } from "../../../rollout/ready/readiness.js";
import { describeTimeout, isTimedOut, unmetConditions } from "../../../rollout/ready/timeout.js";

test("a group that stays ready is done once the bake time is over", () => {
  const first = held({ passed: true, at: 1000 }, undefined, 30);
  expect(first).toEqual({ since: 1000, heldSeconds: 0, bakeSeconds: 30, done: false });
  expect(held({ passed: true, at: 30_999 }, first.since, 30).done).toBe(false);
  expect(held({ passed: true, at: 31_000 }, first.since, 30)).toEqual({
    since: 1000,
    heldSeconds: 30,
    bakeSeconds: 30,
    done: true,
  });
  expect(formatHeld(held({ passed: true, at: 21_000 }, first.since, 30))).toBe("held 20s of 30s");
});

test("any break starts the bake time anew", () => {
  const broken = held({ passed: false, at: 29_000 }, 1000, 30);
  expect(broken).toEqual({ heldSeconds: 0, bakeSeconds: 30, done: false });
  expect(held({ passed: true, at: 31_000 }, broken.since, 30)).toMatchObject({ since: 31_000, done: false });
});

test("a clock that was set back starts it anew, too", () => {
  expect(held({ passed: true, at: 500 }, 1000, 30)).toMatchObject({ since: 500, heldSeconds: 0 });
});

test("without a bake time a group is done when it is ready, and never before", () => {
  expect(held({ passed: true, at: 5 }, undefined, 0).done).toBe(true);
  expect(held({ passed: false, at: 5 }, 0, 0).done).toBe(false);
});

test("a group is done only after an unbroken run of passes as long as the bake time", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.integer({ min: 0, max: 10 }),
      (passes, bake) => {
        let since: number | undefined;
        passes.forEach((passed, second) => {
          const now = held({ passed, at: second * 1000 }, since, bake);
          const run = second - passes.lastIndexOf(false, second);
          expect(now.done).toBe(run > bake && passed);
          since = now.since;
        });
      },
    ),
  );
});

test("a check counts once it has passed twice since the bake began, however long ago it did before", () => {
  const at = 60_000;
  expect(held({ passed: true, at, passedTwiceSince: -Infinity }, 1000, 30).done).toBe(false);
  expect(held({ passed: true, at, passedTwiceSince: 999 }, 1000, 30)).toMatchObject({
    heldSeconds: 59,
    done: false,
  });
  expect(held({ passed: true, at, passedTwiceSince: 1000 }, 1000, 30).done).toBe(true);
  expect(held({ passed: true, at: 5, passedTwiceSince: -Infinity }, undefined, 0).done).toBe(true);
});

test("a timeout names every condition that failed, with its last value", () => {
  expect(describeTimeout(reading, 900)).toBe(
    [
      "broker-0 is not ready after 900 s:",
      "  nodes-eligible (1 of 2): broker-0-1: its node is ineligible",
      "  check-in-sync (unknown, 0 of 2): broker-0-0: not run yet",
      "  voters (unknown): 500 No cluster leader",
    ].join("\n"),
  );
  expect(unmetConditions(reading)).toHaveLength(3);
});

test("a timeout during the bake says that nothing has held", () => {
  const passed = { ...reading, passed: true, conditions: [] };
  expect(describeTimeout(passed, 900)).toBe(
    "broker-0 is not ready after 900 s: every condition is met now, but they have not held for the bake time",
  );
});

test("the bake time does not count against the timeout", () => {
  const limits = { timeoutSeconds: 900, bakeSeconds: 60 };
  expect(isTimedOut({ at: 960_000 }, 0, limits)).toBe(false);
  expect(isTimedOut({ at: 960_001 }, 0, limits)).toBe(true);
});

const reading: Readiness = {
  group: "broker-0",
  at: 0,
  passed: false,
  passedTwiceSince: Infinity,
  conditions: [
    { name: "registered-in-nomad", status: "met", reason: "every host is", value: "2 of 2" },
    {
      name: "nodes-eligible",
      status: "unmet",
      reason: "broker-0-1: its node is ineligible",
      value: "1 of 2",
    },
    { name: "check-in-sync", status: "unknown", reason: "broker-0-0: not run yet", value: "0 of 2" },
    { name: "voters", status: "unknown", reason: "500 No cluster leader", value: "unknown" },
  ],
};
