import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../../support/environment.js";
import { isLong, longTest } from "../../support/long.js";
import { KINDS, runCase, type Outcome } from "./case.js";
import { Clusters } from "./clusters.js";

/** Always the same cases, unless another seed is asked for; and one of them alone where its number is. */
const SEED = Number(process.env["ROLLOUT_TEST_SEED"] ?? 1);
const ALONE = process.env["ROLLOUT_TEST_CASE"];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** Short: a few of the edits, far apart. */
const NUMBERS = isLong ? upTo(500) : upTo(6).map((number) => Math.floor((number * KINDS) / 6));

/** Why a plan is refused that changes nothing but the group of its view. */
const JUSTIFIED: Readonly<Record<string, string>> = {};

describeReal("Views that were edited by hand, and applied whatever the verdict", ["terraform"], (real) => {
  const outcomes = new Map<number, Outcome>();

  beforeAll(async () => {
    const clusters = await Clusters.create(real);
    try {
      const left = ALONE === undefined ? [...NUMBERS] : [Number(ALONE)];
      const work = async (): Promise<void> => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          outcomes.set(next, await runCase(clusters, SEED, next));
        }
      };
      await Promise.all([work(), work(), work()]);
    } finally {
      clusters.remove();
    }
  }, 3_600_000);

  afterAll(async () => {
    (await import("node:fs")).writeFileSync("/tmp/sa/outcomes.json", JSON.stringify([...outcomes], null, 1));
  });

  const told = (why: (outcome: Outcome) => readonly string[]): string[] =>
    [...outcomes].flatMap(([number, outcome]) => {
      const lines = why(outcome);
      const alone = `ROLLOUT_TEST_SEED=${String(SEED)} ROLLOUT_TEST_CASE=${String(number)}`;
      return lines.length === 0 ? [] : [[alone, ...outcome.story, ...lines].join("\n")];
    });

  const withEnd = (end: Outcome["end"]): Outcome[] =>
    [...outcomes.values()].filter((each) => each.end === end);

  test("what is accepted changes no second group, and loses neither data nor shared parts", () => {
    expect(
      told(({ end, wrongs }) => (end === "accepted" && wrongs.length > 0 ? ["accepted", ...wrongs] : [])),
    ).toEqual([]);
  });

  test("what is rejected and changes nothing but its group is rejected for a reason that is known", () => {
    expect(
      told(({ end, onlyTarget, why }) =>
        end === "rejected" && onlyTarget ? why.filter((kind) => !Object.hasOwn(JUSTIFIED, kind)) : [],
      ),
    ).toEqual([]);
  });

  longTest(
    "every reason is met, and enough is accepted, and changes more than it may where it is rejected",
    () => {
      const met = new Set(withEnd("rejected").flatMap(({ onlyTarget, why }) => (onlyTarget ? why : [])));
      expect(Object.keys(JUSTIFIED).filter((kind) => !met.has(kind))).toEqual([]);
      // Were few of them accepted with a change, or few rejected for what they would have done, the cases would prove little.
      expect(withEnd("accepted").filter(({ changes }) => changes.length > 0).length).toBeGreaterThan(50);
      expect(withEnd("rejected").filter(({ wrongs }) => wrongs.length > 0).length).toBeGreaterThan(150);
    },
  );
});
