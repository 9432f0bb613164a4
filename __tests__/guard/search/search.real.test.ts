import { beforeAll, expect, test } from "@jest/globals";
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
const JUSTIFIED: Readonly<Record<string, string>> = {
  "not a plan: the variable rollout_view GROUP given by hand and differs from the stack's own; make it with":
    "the rules follow the view that the plan names, so it must be the one that was synthesized",
  "complete-plan: the plan cannot be judged":
    "-target, -refresh-only and the like leave out what the rest of the group needs",
  "base-revision: the plan was made from an older or another state":
    "what the plan says it was made from would take a group back, had the state gone on",
  "base-revision: the plan is of the view GROUP, and the spec has no group of this name":
    "every rule of a group asks the spec for it",
  "one-batch: hosts of GROUP cannot wait for a later batch, since none of them is a client's of an older template":
    "who waits for no reason would never be rolled",
  "one-batch: machines of GROUP that wait for a later batch would change":
    "they have not left: only the batch has",
  "group-in-flight: GROUP cannot be rolled while GROUP is in flight":
    "two groups would be away at once, though one of them since an earlier apply",
  "unattributed-change: members of groups and shared parts would use what is not theirs":
    "what a member names today would change it tomorrow, whoever is rolled then",
  "unattributed-change: what belongs to no group names members of groups":
    "it follows the member, and may act on it with the next roll",
  "hooks-as-rendered: hooks would not run what they are rendered with":
    "work would not leave, or a broken group would pass for whole",
  "hooks-as-rendered: hooks would be taken for ended that may never have run, or run for nothing":
    "they are not repeated by the number that the state asks for",
  "hooks-as-rendered: members of groups would not wait for what comes before them":
    "a machine could go before its work has left",
  "hooks-as-rendered: machines would change, and what hangs on them would not be made again":
    "the new machine would be without its disk, its place in the load balancer or its configuration",
  "data-volume-kept: data volumes would be smaller, or otherwise than the spec says":
    "a disk cannot be made smaller, so the apply would fail once the group has left",
  "image-as-desired: GROUP would have N hosts, desired N":
    "the group would be recorded as rolled, and be smaller",
  "image-as-desired: GROUP would have N hosts, GROUP among them, desired N":
    "a number that is not the group's would be recorded as one of its hosts",
  "image-as-desired: hosts of GROUP would be otherwise than the spec says":
    "the group would be recorded as rolled, and have another image",
  "image-as-desired: the history of GROUP would not end with what the spec says":
    "an undo would go to what never was",
};

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
