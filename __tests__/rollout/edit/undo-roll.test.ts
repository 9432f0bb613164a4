import { describe, expect, test } from "@jest/globals";
import { undoRoll } from "../../../rollout/edit/undo.js";
import type { Situation } from "../../../rollout/status/situation.js";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf } from "../../../cluster/groups.js";
import { nextRevisions, type Revision } from "../../../cluster/revision.js";
import { setGroups, type GroupChange } from "../../../cluster/yaml/edit.js";
import { loadSpec } from "../../../cluster/yaml/load.js";
import { EXAMPLE, errorOf } from "../../cluster/yaml/example.js";
import { deployedAs, withGroup } from "../../support/fixtures.js";
import { PAUSE, situationOf } from "../../support/situation.js";

const POOL = ["broker-0", "broker-1", "broker-2"];
const B = { image: "ami-0bbb" };
const A = { image: "ami-0aaa" };

const messages = (of: Situation, names = POOL): string[] =>
  undoRoll(of, names).undos.map(({ message }) => message);

describe("the last roll of a pool goes back", () => {
  test("all at once where groups may queue, and no group that it did not reach", () => {
    const of = rolled("queue", ["broker-2", B], ["broker-2", A], ["broker-0", B], ["broker-1", B]);
    expect(messages(of)).toEqual([
      "undo broker-0: ami-0bbb -> ami-0aaa (revision 2 -> 1, as revision 3)",
      "undo broker-1: ami-0bbb -> ami-0aaa (revision 2 -> 1, as revision 3)",
    ]);
    expect(undoRoll(of, POOL).later).toEqual([]);
  });

  test("and an earlier one does not, whatever it brought to other groups", () => {
    const of = rolled("queue", ["broker-0", { image: "ami-0ddd" }], ["broker-1", B], ["broker-2", B]);
    expect(messages(of)).toEqual([
      "undo broker-1: ami-0bbb -> ami-0aaa (revision 2 -> 1, as revision 3)",
      "undo broker-2: ami-0bbb -> ami-0aaa (revision 2 -> 1, as revision 3)",
    ]);
  });

  test("with a type, by that type, and across pools by the image", () => {
    const large = { instanceType: "m6i.xlarge" };
    expect(messages(rolled("queue", ["broker-0", B], ["broker-1", large]))).toEqual([
      "undo broker-1: m6i.xlarge -> m6i.large (revision 2 -> 1, as revision 3)",
    ]);
    const all = rolled("queue", ["name-server-0", B], ["broker-0", { ...B, ...large }]);
    const names = groupsOf(all.spec).map(({ name }) => name);
    expect(undoRoll(all, names).undos.map(({ group }) => group)).toEqual(["name-server-0", "broker-0"]);
  });

  test("one after the other where one alone may be pending, until all have gone back", () => {
    const steps: Step[] = [
      ["broker-0", B],
      ["broker-1", B],
    ];
    expect(undoRoll(rolled("one", ...steps), POOL)).toMatchObject({
      undos: [{ group: "broker-0" }],
      later: ["broker-1"],
    });
    expect(undoRoll(rolled("one", ...steps, ["broker-0", A]), POOL)).toMatchObject({
      undos: [{ group: "broker-1" }],
      later: [],
    });
    expect(errorOf(() => undoRoll(rolled("one", ...steps, ["broker-0", A], ["broker-1", A]), POOL))).toBe(
      "nothing to undo: no last roll of broker-0, broker-1, broker-2 is recorded that has not gone back; see: rollout history",
    );
  });

  test("and what is set back already stays so where groups may queue", () => {
    const before = rolled("queue", ["broker-0", B], ["broker-1", B]);
    const of = situationOf(edited(before.spec, ["broker-1", A]), before.deployed);
    expect(undoRoll(of, POOL).undos.map(({ group }) => group)).toEqual(["broker-0"]);
  });

  test("the newest one, however a group that has failed came back since", () => {
    const Z = { image: "ami-0fff" };
    const all = POOL.map((name): Step => [name, Z]);
    const of = rolled("one", ...all, ["broker-0", B], ["broker-1", { generation: 1 }]);
    expect(undoRoll(of, POOL)).toMatchObject({ undos: [{ group: "broker-0", change: Z }], later: [] });
  });

  test("first what is in flight, to its last good revision", () => {
    const before = rolled("one", ["broker-0", B]);
    const spec = edited(before.spec, ["broker-1", B]);
    const of = situationOf(spec, withGroup(before.deployed, "broker-1", { leave: false }));
    expect(undoRoll(of, POOL)).toMatchObject({
      undos: [
        {
          message:
            "undo broker-1: ami-0bbb -> ami-0aaa, generation 0 -> 1 (back to revision 1, as revision 2)",
        },
      ],
      later: ["broker-0"],
    });
  });
});

describe("the last roll of a pool refuses to go back", () => {
  test("while a group of it is set back and not rolled", () => {
    const before = rolled("one", ["broker-0", B], ["broker-1", B]);
    const of = situationOf(edited(before.spec, ["broker-0", A]), before.deployed);
    expect(errorOf(() => undoRoll(of, POOL))).toBe(
      "broker-0 is pending (ami-0bbb -> ami-0aaa), so broker-1 is not undone; first: rollout deploy broker-0, or set it back",
    );
  });

  test("while a pause holds and nothing of it has begun", () => {
    const out = rolled("one", ["broker-0", B]);
    const begun = withGroup(out.deployed, "broker-1", { leave: false });
    const of = { ...situationOf(edited(out.spec, ["broker-1", B]), begun), hold: PAUSE };
    expect(undoRoll(of, POOL)).toMatchObject({ undos: [{ group: "broker-1" }] });
    expect(errorOf(() => undoRoll({ ...rolled("one", ["broker-0", B]), hold: PAUSE }, POOL))).toMatch(
      /^demo is paused .*, so broker-0 is not undone; first: rollout resume$/,
    );
  });
});

type Step = readonly [group: string, change: GroupChange];

const TEXT = EXAMPLE.replace(/^platform: aws[^]*?(?=^backend)/m, "platform: local\n");

const edited = (spec: Situation["spec"], [group, change]: Step): Situation["spec"] => {
  const changes = new Map<string, GroupChange>(
    groupsOf(spec).map(({ name, image, instanceType }) => [name, { image, instanceType }]),
  );
  const text = TEXT.replace("pendingGroups: one", `pendingGroups: ${spec.rollout.pendingGroups}`);
  changes.set(group, { ...changes.get(group), ...change });
  return loadSpec(setGroups(text, "cluster.yaml", changes), "cluster.yaml");
};

/** A cluster in which these groups were rolled so, one an hour, all of them recorded. */
function rolled(pendingGroups: "one" | "queue", ...steps: readonly Step[]): Situation {
  let spec = loadSpec(TEXT.replace("pendingGroups: one", `pendingGroups: ${pendingGroups}`), "cluster.yaml");
  const limit = { revisionHistoryLimit: 10, cause: "any" };
  const histories = new Map<string, Revision[]>(
    groupsOf(spec).map((group) => [group.name, nextRevisions(group, [], limit)]),
  );
  steps.forEach((step, hour) => {
    spec = edited(spec, step);
    const [name] = step;
    const ended = new Date(Date.UTC(2026, 10, 20, hour)).toISOString();
    const revisions = nextRevisions(findGroup(spec, name), histories.get(name) ?? [], limit);
    const roll = { by: "ops@a", begun: ended, ended, how: "at once" };
    histories.set(name, [
      ...revisions.slice(0, -1),
      ...revisions.slice(-1).map((each) => ({ ...each, roll })),
    ]);
  });
  const deployed = [...histories].reduce(
    (all, [name, revisions]) => withGroup(all, name, { revisions }),
    deployedAs(spec),
  );
  return situationOf(spec, deployed);
}
