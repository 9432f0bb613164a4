import { expect, test } from "@jest/globals";
import { lastRun } from "../../../rollout/log/last-run.js";
import { readRuns } from "../../../rollout/log/read-runs.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import { ago, DRAINING, GATE_FAILED, runOf, RUN } from "../../support/situation.js";

const last = (events: readonly LogEvent[]) => lastRun(readRuns(events));

test("no lines, no run", () => {
  expect(last([])).toBeNull();
  expect(last(runOf([1, "held", { by: "ops@build-1" }]))).toBeNull();
});

test("a run stands where its last line says", () => {
  expect(last(DRAINING)).toEqual({
    command: RUN.command,
    by: RUN.by,
    since: ago(30),
    lastLineAt: ago(1),
    group: "broker-0",
    step: "leave",
    stepSince: ago(6),
    condition: "2 of 9 allocations left",
    conditionSince: ago(1),
    isEnded: false,
    result: null,
    hasTouched: true,
    message: null,
  });
});

test("a condition goes with its step, and a step with its group", () => {
  const next = runOf([0, "step-started", { group: "broker-0", step: "apply" }]);
  expect(last([...DRAINING, ...next])).toMatchObject({
    step: "apply",
    condition: null,
    conditionSince: null,
  });
  const other = runOf([0, "group-started", { group: "broker-1" }]);
  expect(last([...DRAINING, ...other])).toMatchObject({ group: "broker-1", step: null });
});

test("a run that has ended keeps how, where and why", () => {
  expect(last(GATE_FAILED)).toMatchObject({
    group: "broker-0",
    step: "gate",
    result: "failed",
    message: "not ready within 15m",
    isEnded: true,
    lastLineAt: ago(12),
  });
});

test("a second group forgets how the first one ended", () => {
  const again = runOf([1, "group-started", { group: "broker-1" }]);
  expect(last([...GATE_FAILED.slice(0, -1), ...again])).toMatchObject({
    group: "broker-1",
    message: null,
  });
});

test.each([
  ["one\ntwo", "one"],
  [
    "broker-0 cannot be rolled now:\n  no-leader: Consul has none\n  another",
    "broker-0 cannot be rolled now: no-leader: Consul has none",
  ],
  ["ends with a colon:", "ends with a colon:"],
])("of the message %j only what is in one line", (message, said) => {
  const end = runOf([1, "group-ended", { group: "broker-0", result: "failed", message }]);
  expect(last(end)?.message).toBe(said);
});

test("a run that was refused has touched nothing", () => {
  const refused = runOf(
    [3, "step-started", { group: "broker-0", step: "preflight" }],
    [2, "step-started", { group: "broker-0", step: "plan" }],
    [1, "group-ended", { group: "broker-0", result: "failed", message: "no" }],
  );
  expect(last(refused)?.hasTouched).toBe(false);
});

test("only the newest run counts, and a hold is no part of it", () => {
  const newer = runOf([2, "run-started"]).map((event) => ({ ...event, run: "run-2" }));
  const held = runOf([1, "held", { by: "ops@build-2" }]).map((event) => ({ ...event, run: "other" }));
  expect(last([...GATE_FAILED, ...newer, ...held])).toMatchObject({
    since: ago(2),
    lastLineAt: ago(2),
    by: null,
    isEnded: false,
  });
});
