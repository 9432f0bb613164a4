import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { NotAPlan } from "../../../../guard/plan/read-plan.js";
import { isLong } from "../../../support/long.js";
import { PLACES } from "../edit-plan.js";
import { judge, readFixture, readFixtureFiles, type PlanFixture } from "../plan-fixture.js";
import { HARMFUL } from "./harmful.js";
import { anyStep, mutate, type Step } from "./mutations.js";
import { Oracle } from "./oracle.js";

/** Always the same mutants, unless another seed is asked for. */
const SEED = Number(process.env["ROLLOUT_TEST_SEED"] ?? 14);

const PLANS = new Map<string, { fixture: PlanFixture; oracle: Oracle }>(
  HARMFUL.map((name) => [name, { fixture: readFixture(name), oracle: new Oracle(readFixtureFiles(name)) }]),
);

/** What the guard and what the oracle say of a plan after some edits. */
function outcome(name: string, steps: readonly Step[]): { said: string; harm: string | undefined } {
  const plan = PLANS.get(name);
  if (!plan) throw new Error(`no plan ${name}`);
  const { text, readings } = mutate(plan.fixture.plan, steps);
  const [harm] = readings.flatMap((reading) => plan.oracle.harmOf(reading) ?? []);
  return { said: verdictOf(plan.fixture, text), harm };
}

function verdictOf(fixture: PlanFixture, text: string): string {
  try {
    return judge(fixture, text).verdict;
  } catch (error) {
    if (error instanceof NotAPlan) return "not a plan";
    throw error;
  }
}

describe("A harmful plan that was edited", () => {
  const asked: Step = {
    what: "let it stay",
    scope: "what changes beside the target",
    at: 0,
    to: 0,
    places: PLACES,
  };

  test("is one of another spec where its second group stays in every place", () => {
    expect(outcome("two-groups", [asked])).toEqual({ said: "accepted", harm: undefined });
  });

  test("is harmful where its second group stays in its changes alone", () => {
    expect(outcome("two-groups", [{ ...asked, places: ["changes"] }])).toEqual({
      said: "rejected",
      harm: "terraform_data.broker-1-0: otherwise in the planned values",
    });
  });

  test("is never accepted unless it is harmless, whatever is edited", () => {
    const harmless: string[] = [];
    const steps = fc.array(anyStep(), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...HARMFUL), steps, (name, edits) => {
        const { said, harm } = outcome(name, edits);
        if (said === "accepted") expect(harm).toBeUndefined();
        if (said === "accepted") harmless.push(name);
      }),
      { numRuns: isLong ? 20_000 : 300, seed: SEED },
    );
    // Edits that make nothing acceptable would find nothing.
    expect(harmless.length).toBeGreaterThan(0);
  }, 1_200_000);
});
