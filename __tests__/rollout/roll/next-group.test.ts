import { describe, expect, test } from "@jest/globals";
import { nextRoll, type NextRoll, type RollSituation } from "../../../rollout/roll/next-group.js";
import { groupsOf } from "../../../cluster/groups.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  withGroup,
} from "../../support/fixtures.js";

import { findGroup } from "../../../cluster/find-group.js";
import { undoOf } from "../../../rollout/edit/undo.js";
import { situationOf } from "../../support/situation.js";

const START = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;

const local = localSpec();
const standing = deployedAs(local);
const groupsIn = (pool: string): string[] => [0, 1, 2].map((index) => `${pool}-${String(index)}`);
const BROKERS = {
  groups: groupsIn("broker"),
  image: "ami-0bbb",
  command: "rollout deploy broker --image ami-0bbb",
};
const ALL = { groups: groupsOf(local).map(({ name }) => name), command: "rollout deploy --all" };

const withImages = (spec: Spec, ...groups: readonly string[]): Spec =>
  change(spec, (edited) => {
    for (const group of groups) poolOf(edited, group.slice(0, -2)).images[Number(group.at(-1))] = "ami-0bbb";
  });
const rollout = (values: Partial<Spec["rollout"]>, spec = local): Spec =>
  change(spec, (edited) => Object.assign(edited.rollout, values));

/** The three brokers are asked for, and nothing has happened yet. */
const usual: RollSituation = {
  wanted: BROKERS,
  spec: local,
  deployed: standing,
  hold: undefined,
  facts: { out: [] },
  leaders: [],
  at: START,
};
const next = (values: Partial<RollSituation>): NextRoll => nextRoll({ ...usual, ...values });
const stepOf = (values: Partial<RollSituation>): unknown => {
  const found = next(values);
  return found.kind === "step" ? found.step : found;
};

/** Rolled to ami-0bbb, as the state has it then. */
const rolled = (...groups: readonly string[]) => {
  const after = deployedAs(withImages(local, ...groups));
  return after;
};
const broker0 = withImages(local, "broker-0");

const TYPE = { groups: ["broker-0"], command: "rollout deploy broker-0" };

const BROKER = { instanceType: "m6i.large", dataVolume: { sizeGib: 100, type: "gp3" } };
const inFlight = withGroup(standing, "broker-0", { leave: false });
const half = cutAfterLeave(local, standing, "broker-0");
const PAUSE = {
  kind: "pause",
  since: "2026-01-01T00:00:00Z",
  by: "ops@a",
  reason: "waiting for the DBA",
} as const;
const CANCEL = { kind: "cancel", since: "2026-01-01T00:00:00Z", by: "ops@a" } as const;
const failure = { group: "broker-0", to: "ami-0bbb", message: "nodes-eligible (0 of 3)" };

describe("with an image", () => {
  test("the spec says one group, that group is rolled, then the next", () => {
    expect(stepOf({})).toEqual({ step: "set-image", group: "broker-0", from: "ami-0aaa", to: "ami-0bbb" });
    expect(stepOf({ spec: broker0 })).toEqual({ step: "roll", group: "broker-0" });
    expect(stepOf({ spec: broker0, deployed: rolled("broker-0") })).toEqual({
      step: "set-image",
      group: "broker-1",
      from: "ami-0aaa",
      to: "ami-0bbb",
    });
    expect(next({ spec: withImages(local, ...BROKERS.groups), deployed: rolled(...BROKERS.groups) })).toEqual(
      {
        kind: "done",
      },
    );
  });

  test("the group that is pending already goes first, with that image", () => {
    expect(stepOf({ spec: withImages(local, "broker-2") })).toEqual({ step: "roll", group: "broker-2" });
    const other = change(local, (spec) => {
      poolOf(spec, "broker").images[2] = "ami-0ccc";
    });
    expect(stepOf({ spec: other })).toEqual({
      step: "set-image",
      group: "broker-2",
      from: "ami-0ccc",
      to: "ami-0bbb",
    });
  });

  test("the group whose server leads goes last", () => {
    const wanted = { ...BROKERS, groups: groupsIn("nomad-server") };
    expect(stepOf({ wanted, leaders: ["nomad-server-0"] })).toMatchObject({ group: "nomad-server-1" });
    const two = withImages(local, "nomad-server-1", "nomad-server-2");
    expect(
      stepOf({ wanted, spec: two, deployed: deployedAs(two), leaders: ["nomad-server-0"] }),
    ).toMatchObject({
      group: "nomad-server-0",
    });
  });
});

describe("without an image", () => {
  test("what is pending is rolled, and nothing else", () => {
    expect(next({ wanted: ALL })).toEqual({ kind: "done" });
    expect(stepOf({ wanted: ALL, spec: broker0 })).toEqual({ step: "roll", group: "broker-0" });
  });

  test("a queue is taken in the rollout's order", () => {
    const queue = rollout(
      { pendingGroups: "queue" },
      withImages(local, "broker-0", "broker-1", "nomad-server-2"),
    );
    expect(stepOf({ wanted: ALL, spec: queue })).toEqual({ step: "roll", group: "nomad-server-2" });
    const wanted = { ...ALL, groups: groupsIn("broker") };
    expect(stepOf({ wanted, spec: queue })).toEqual({ step: "roll", group: "broker-0" });
    expect(stepOf({ wanted, spec: queue, deployed: rolled("broker-0") })).toEqual({
      step: "roll",
      group: "broker-1",
    });
  });
});

describe("a group that is out", () => {
  test("is finished before anything else, whatever holds", () => {
    const spec = rollout({ manual: true, interval: "1h" }, broker0);
    for (const hold of [undefined, PAUSE, CANCEL]) {
      const facts = { out: [], lastEnd: { group: "broker-1", at: START } };
      expect(stepOf({ spec, deployed: half, hold, facts })).toEqual({ step: "roll", group: "broker-0" });
    }
  });

  test("is known by the log where its machines have not gone yet", () => {
    const facts = { out: ["broker-0"] };
    expect(stepOf({ spec: broker0, hold: PAUSE, facts })).toEqual({ step: "roll", group: "broker-0" });
    expect(stepOf({ spec: broker0, hold: PAUSE })).toMatchObject({ step: "hold" });
  });

  test("refuses to begin a roll that it is no part of", () => {
    expect(next({ wanted: { ...BROKERS, groups: groupsIn("name-server") }, deployed: inFlight })).toEqual({
      kind: "blocked",
      reason: "broker-0 is in flight (terraform_data.broker-0-leave is missing: the group has left)",
      command: "rollout deploy broker-0",
    });
  });

  test("servers first where two are", () => {
    const two = withGroup(inFlight, "consul-server-1", { leave: false });
    expect(stepOf({ wanted: ALL, deployed: two })).toEqual({ step: "roll", group: "consul-server-1" });
  });
});

describe("pace", () => {
  const after = { spec: broker0, deployed: rolled("broker-0") };
  const ended = { out: [], lastEnd: { group: "broker-0", at: START } };

  test("a pause holds the next group, with who, when and why", () => {
    expect(stepOf({ ...after, hold: PAUSE })).toEqual({
      step: "hold",
      group: "broker-1",
      id: "paused",
      reason: 'demo is paused (since 00:00 UTC by ops@a, "waiting for the DBA")',
    });
  });

  test("an interval is waited for, and a clock that was set back makes it no longer", () => {
    const spec = rollout({ interval: "15m" }, broker0);
    const wait = { step: "wait", group: "broker-1", id: "interval", reason: "rollout.interval: 15m" };
    const at = (now: number) => stepOf({ ...after, spec, facts: ended, at: now });
    expect(at(START + 14 * MINUTE)).toEqual({ ...wait, until: START + 15 * MINUTE });
    expect(at(START + 15 * MINUTE)).toMatchObject({ step: "set-image" });
    expect(at(START - 60 * MINUTE)).toEqual({ ...wait, until: START - 45 * MINUTE });
    expect(stepOf({ ...after, spec })).toMatchObject({ step: "set-image" });
  });

  test("manual: every group waits for a resume of its own", () => {
    const spec = rollout({ manual: true }, broker0);
    expect(stepOf({ spec: rollout({ manual: true }) })).toEqual({
      step: "hold",
      group: "broker-0",
      id: "manual",
      reason: "rollout.manual: every group waits",
    });
    expect(stepOf({ ...after, spec, facts: ended })).toMatchObject({
      step: "hold",
      reason: "rollout.manual: every group waits",
    });
    expect(stepOf({ ...after, spec, facts: { ...ended, heldAt: START + MINUTE } })).toMatchObject({
      step: "set-image",
    });
  });

  test("manual: a change in place uses up its resume, as a roll does", () => {
    const spec = rollout({ manual: true }, broker0);
    const facts = { ...ended, heldAt: START + MINUTE };
    expect(stepOf({ ...after, spec, facts: { ...facts, changedAt: START } })).toMatchObject({
      step: "set-image",
    });
    expect(stepOf({ ...after, spec, facts: { ...facts, changedAt: START + 2 * MINUTE } })).toMatchObject({
      step: "hold",
      group: "broker-1",
      id: "manual",
    });
  });

  test("pauseAfter holds behind its groups alone", () => {
    const spec = rollout({ pauseAfter: ["broker-0"] }, broker0);
    expect(stepOf({ spec: rollout({ pauseAfter: ["broker-0"] }) })).toMatchObject({ step: "set-image" });
    expect(stepOf({ ...after, spec, facts: ended })).toEqual({
      step: "hold",
      group: "broker-1",
      id: "pause-after",
      reason: "rollout.pauseAfter names broker-0",
    });
    expect(stepOf({ ...after, spec, facts: { ...ended, heldAt: START + MINUTE } })).toMatchObject({
      step: "set-image",
    });
    expect(
      stepOf({ ...after, spec, facts: { ...ended, lastEnd: { group: "broker-2", at: START } } }),
    ).toMatchObject({
      step: "set-image",
    });
  });

  test("nothing waits where nothing is left", () => {
    const all = withImages(local, ...BROKERS.groups);
    const spec = rollout({ manual: true, interval: "1h", pauseAfter: ["broker-2"] }, all);
    const facts = { ...ended, lastEnd: { group: "broker-2", at: START } };
    expect(next({ spec, deployed: rolled(...BROKERS.groups), facts, hold: PAUSE })).toEqual({ kind: "done" });
  });
});

describe("a cancel", () => {
  test("ends the roll and says what is not rolled", () => {
    expect(next({ spec: broker0, deployed: rolled("broker-0"), hold: CANCEL })).toEqual({
      kind: "blocked",
      reason: "demo is cancelled (since 00:00 UTC by ops@a); not rolled: broker-1, broker-2",
      command: "rollout resume",
      isGivenUp: true,
    });
  });

  test("takes the group in flight back where that was asked for, and ends then", () => {
    const hold = { ...CANCEL, undo: true };
    expect(stepOf({ spec: broker0, deployed: half, hold })).toEqual({
      step: "undo",
      reason: "cancelled by ops@a",
      group: "broker-0",
      what: "ami-0bbb -> ami-0aaa",
      change: { ...BROKER, image: "ami-0aaa", generation: 1 },
    });
    const back = change(local, (spec) => {
      poolOf(spec, "broker").generations = [1, 0, 0];
    });
    expect(stepOf({ spec: back, deployed: half, hold })).toEqual({ step: "roll", group: "broker-0" });
    expect(next({ spec: back, deployed: deployedAs(back), hold })).toMatchObject({ kind: "blocked" });
  });

  test("is no failure where all is done", () => {
    const all = withImages(local, ...BROKERS.groups);
    expect(next({ spec: all, deployed: rolled(...BROKERS.groups), hold: CANCEL })).toEqual({ kind: "done" });
  });
});

test("of two groups in flight that is finished first of which nothing has to leave: the other may not leave before", () => {
  const server = withImages(local, "consul-server-1");
  const lost = withGroup(standing, "broker-0", { hosts: groupIn(standing, "broker-0").hosts.slice(1) });
  const both = withGroup(lost, "consul-server-1", { leave: false });
  expect(stepOf({ wanted: ALL, spec: server, deployed: both })).toEqual({ step: "roll", group: "broker-0" });
  const gone = withGroup(both, "consul-server-1", { hosts: [] });
  expect(stepOf({ wanted: ALL, spec: server, deployed: gone })).toEqual({
    step: "roll",
    group: "consul-server-1",
  });
});

describe("a gate that was not passed", () => {
  const facts = { out: [], failure };
  /** All machines are new, and the gate is closed. */
  const atGate = (() => {
    const { hosts } = groupIn(rolled("broker-0"), "broker-0");
    const { hash = "" } = hosts[0] ?? {};
    return withGroup(standing, "broker-0", {
      hosts,
      ready: { hosts: hosts.map(({ id }) => id).join(","), hash, gate: "closed" },
    });
  })();

  test("stops the roll, and the group stays as it is", () => {
    expect(next({ spec: broker0, deployed: atGate, facts })).toEqual({
      kind: "blocked",
      reason: "broker-0 did not become ready with ami-0bbb and stays in flight: nodes-eligible (0 of 3)",
      command: "rollout undo broker-0, or once the cause is gone: rollout deploy broker --image ami-0bbb",
    });
  });

  test("stops the roll also where another group is lost meanwhile", () => {
    const deployed = withGroup(atGate, "consul-server-1", { hosts: [] });
    expect(next({ wanted: ALL, spec: broker0, deployed, facts })).toMatchObject({
      kind: "blocked",
      reason: "broker-0 did not become ready with ami-0bbb and stays in flight: nodes-eligible (0 of 3)",
    });
  });

  test("takes that one group back where the spec says so, and stops then", () => {
    const undo = (spec: Spec): Spec => rollout({ onFailure: "undo" }, spec);
    expect(stepOf({ spec: undo(broker0), deployed: atGate, facts })).toEqual({
      step: "undo",
      reason: "it did not become ready with ami-0bbb",
      group: "broker-0",
      what: "ami-0bbb -> ami-0aaa",
      change: { ...BROKER, image: "ami-0aaa", generation: 1 },
    });
    expect(stepOf({ spec: undo(local), deployed: atGate, facts })).toEqual({
      step: "roll",
      group: "broker-0",
    });
    expect(next({ spec: undo(local), deployed: standing, facts })).toEqual({
      kind: "blocked",
      reason:
        "broker-0 did not become ready with ami-0bbb and was taken back to ami-0aaa: nodes-eligible (0 of 3)",
      command: "rollout history broker-0",
      isGivenUp: true,
    });
  });

  test("is not undone twice: a group that does not become ready with its old image either stays", () => {
    const again = { ...facts, failure: { ...failure, to: "ami-0aaa" } };
    expect(next({ spec: rollout({ onFailure: "undo" }), deployed: atGate, facts: again })).toMatchObject({
      kind: "blocked",
      reason: "broker-0 did not become ready with ami-0aaa and stays in flight: nodes-eligible (0 of 3)",
    });
  });

  test("of an instance type alone takes the group back as well, and is no success of its image", () => {
    const typed = change(rollout({ onFailure: "undo" }), (spec) => {
      poolOf(spec, "broker").instanceTypes[0] = "m6i.xlarge";
    });
    const { hash } = findGroup(typed, "broker-0");
    const ofType = { ...facts, failure: { ...failure, to: "ami-0aaa", hash } };
    expect(stepOf({ wanted: TYPE, spec: typed, deployed: half, facts: ofType })).toEqual({
      step: "undo",
      reason: "it did not become ready with ami-0aaa",
      group: "broker-0",
      what: "m6i.xlarge -> m6i.large",
      change: { ...BROKER, image: "ami-0aaa", generation: 1 },
    });
    expect(next({ wanted: TYPE, spec: local, deployed: standing, facts: ofType })).toEqual({
      kind: "blocked",
      isGivenUp: true,
      reason:
        "broker-0 did not become ready with ami-0aaa and was taken back to revision 1: nodes-eligible (0 of 3)",
      command: "rollout history broker-0",
    });
    expect(next({ wanted: TYPE, spec: typed, deployed: deployedAs(typed), facts: ofType })).toEqual({
      kind: "done",
    });
  });

  test("is forgotten where the group has got there by other hands", () => {
    expect(stepOf({ spec: broker0, deployed: rolled("broker-0"), facts })).toMatchObject({
      step: "set-image",
      group: "broker-1",
    });
  });

  test("raises the generation of a group that has left, whatever is still there of it", () => {
    const left = { ...facts, out: ["broker-0"] };
    const spec = rollout({ onFailure: "undo" }, broker0);
    expect(stepOf({ spec, deployed: half, facts: left })).toMatchObject({
      step: "undo",
      change: { generation: 1 },
    });
    expect(stepOf({ spec, deployed: standing, facts: left })).toMatchObject({
      step: "undo",
      change: { generation: 1 },
    });
  });

  test("takes a group back by a generation that none of its revisions had, as an undo by hand does", () => {
    // Generation 1 was that of an earlier roll, whose template was this very one.
    const revisions = [1, 0].map((generation, index) => ({
      ...(groupIn(standing, "broker-0").revisions[0] ?? lacking()),
      number: index + 1,
      generation,
    }));
    const deployed = withGroup(half, "broker-0", { revisions });
    const spec = rollout({ onFailure: "undo" }, broker0);
    const back = { image: "ami-0aaa", generation: 2 };
    expect(stepOf({ spec, deployed, facts })).toMatchObject({ step: "undo", change: back });
    expect(undoOf(situationOf(spec, deployed), "broker-0")).toMatchObject({ change: back });
  });

  test("lets the machines be of a group that has not left, as an undo by hand does", () => {
    // A gate that was closed over the machines of the last revision, whose generation the spec has left behind.
    const deployed = withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-ready"] });
    const spec = change(rollout({ onFailure: "undo" }, broker0), (edited) => {
      poolOf(edited, "broker").generations = [3, 0, 0];
    });
    const back = { image: "ami-0aaa", generation: 0 };
    expect(stepOf({ spec, deployed, facts })).toMatchObject({ step: "undo", change: back });
    expect(undoOf(situationOf(spec, deployed), "broker-0")).toMatchObject({ change: back });
  });
});

describe("refuses", () => {
  test("a spec in which something else is pending", () => {
    expect(next({ spec: withImages(local, "name-server-1") })).toEqual({
      kind: "blocked",
      reason: "name-server-1 is pending (ami-0aaa -> ami-0bbb)",
      command: "rollout deploy name-server-1, or set it back",
    });
    expect(next({ spec: withImages(local, "broker-1", "broker-2") })).toEqual({
      kind: "blocked",
      reason: "2 groups are pending (broker-1, broker-2) and rollout.pendingGroups is one",
      command: "set all but one back, or set rollout.pendingGroups: queue",
    });
  });

  test("groups that have never stood", () => {
    const deployed = withGroup(standing, "broker-1", { revisions: [] });
    expect(next({ deployed })).toEqual({
      kind: "blocked",
      reason: "broker-1 is new and has never stood",
      command: "npx rollout deploy cluster",
    });
  });

  test("to roll anything while nothing would be drained", () => {
    const spec = change(local, (edited) => {
      edited.protection = "off";
    });
    expect(next({ spec })).toEqual({
      kind: "blocked",
      reason: "protection is off and nothing would be drained",
      command: "set protection: on in the spec",
    });
  });
});

function lacking(): never {
  throw new Error("the fixture has no revision");
}
