import { describe, expect, test } from "@jest/globals";
import { lastRun } from "../../../rollout/log/last-run.js";
import { attemptsOf, readRuns } from "../../../rollout/log/read-runs.js";
import { rollFacts } from "../../../rollout/log/roll-facts.js";
import { ago, DRAINING, GATE_FAILED, runOf } from "../../support/situation.js";
import { deployedAs, localSpec } from "../../support/fixtures.js";

const STANDING = deployedAs(localSpec());

const attempts = (...args: Parameters<typeof readRuns>) =>
  attemptsOf(readRuns(...args)).map(({ group, isBegun, steps, end }) => [
    group,
    isBegun,
    steps.map(({ step }) => step).join(" "),
    end?.result,
  ]);

test("a new run begins where its id or its beginning says so, and a hold begins none", () => {
  const next = runOf([5, "run-started", { command: "rollout deploy --all" }], [4, "held"]);
  const other = runOf([3, "waiting", { message: "a minute" }]).map((line) => ({ ...line, run: "run-2" }));
  const runs = readRuns([...runOf([90, "held"]), ...GATE_FAILED, ...next, ...other]);
  expect(runs.map(({ heldAt, end, condition }) => [heldAt, end?.result, condition?.message])).toEqual([
    [undefined, "failed", undefined],
    [ago(4), undefined, undefined],
    [undefined, undefined, "a minute"],
  ]);
});

test("each try of a group is an attempt of its own, with the steps that it began", () => {
  const again = runOf(
    [2, "group-started", { group: "broker-0" }],
    [1, "group-ended", { group: "broker-0", result: "ok" }],
  );
  expect(attempts([...GATE_FAILED.slice(0, -1), ...again])).toEqual([
    ["broker-0", true, "preflight gate", "failed"],
    ["broker-0", true, "", "ok"],
  ]);
});

describe("a refusal of the next run is not the end of an attempt that was killed", () => {
  const killed = [...DRAINING, ...runOf([1, "step-started", { group: "broker-0", step: "gate" }])];
  const refused = runOf(
    [1, "run-started", {}],
    [1, "group-ended", { group: "broker-0", result: "failed", message: "another is in flight" }],
  );
  const runs = readRuns([...killed, ...refused]);

  test("but an attempt that was not begun", () => {
    expect(attempts([...killed, ...refused])).toEqual([
      ["broker-0", true, "preflight leave gate", undefined],
      ["broker-0", false, "", "failed"],
    ]);
  });

  test("so no gate has failed, and the run that was refused is at no step", () => {
    expect(rollFacts(runs, STANDING).failure).toBeUndefined();
    expect(lastRun(runs)).toMatchObject({ step: null, hasTouched: false });
  });
});
