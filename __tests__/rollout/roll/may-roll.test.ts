import { describe, expect, test } from "@jest/globals";
import type { ClusterState } from "../../../cluster/cluster-state.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { among, mayRoll, refuse } from "../../../rollout/roll/may-roll.js";
import { errorOf } from "../../cluster/yaml/example.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../../support/fixtures.js";
import { ago, CANCEL, NOW, PAUSE, RUN } from "../../support/situation.js";

const spec = localSpec();
const standing = deployedAs(spec);
const NOTHING = { out: [] };

const withImages = (...groups: readonly string[]): Spec =>
  change(spec, (edited) => {
    for (const group of groups) poolOf(edited, group.slice(0, -2)).images[Number(group.at(-1))] = "ami-0bbb";
  });

/** What speaks against broker-1, with the ids alone where all is asked. */
const reasons = (
  state: Partial<ClusterState> = {},
  known?: Parameters<typeof mayRoll>[2],
  groups = ["broker-1"],
) => mayRoll({ spec, deployed: standing, ...state }, groups, known);
const ids = (...args: Parameters<typeof reasons>): string[] => reasons(...args).map(({ id }) => id);

test("nothing speaks against a cluster that is as desired", () => {
  expect(reasons({}, { at: NOW, hold: undefined, run: undefined, facts: NOTHING })).toEqual([]);
});

test("refuses with everything that speaks against it at once", () => {
  const open = change(withImages("name-server-0"), (edited) => {
    edited.protection = "off";
  });
  const deployed = withGroup(standing, "broker-0", { leave: false });
  const all = reasons({ spec: open, deployed }, { at: NOW, hold: PAUSE, run: RUN });
  expect(
    errorOf(() => {
      refuse(all, "broker-1 is not undone");
    }),
  ).toMatchInlineSnapshot(`
   "protection is off and nothing would be drained, so broker-1 is not undone; first: set protection: on in the spec
   broker-0 is in flight (terraform_data.broker-0-leave is missing: the group has left), so broker-1 is not undone; first: rollout deploy broker-0
   name-server-0 is pending (ami-0aaa -> ami-0bbb), so broker-1 is not undone; first: rollout deploy name-server-0, or set it back
   a run is under way (rollout deploy broker-0, by ops@build-1 (process 4711) since 09:30 UTC), so broker-1 is not undone; first: wait for it (rollout status --watch) or end it: rollout cancel
   demo is paused (since 09:12 UTC by ops@build-1, "waiting for the DBA"), so broker-1 is not undone; first: rollout resume"
  `);
  expect(() => {
    refuse([], "broker-1 is not undone");
  }).not.toThrow();
});

describe("a group in flight", () => {
  const two = withGroup(withGroup(standing, "broker-0", { leave: false }), "broker-1", { leave: false });

  test("comes first, and speaks against all others alone", () => {
    expect(ids({ deployed: two }, undefined, ["broker-0"])).toEqual([]);
    expect(ids({ deployed: two }, undefined, ["broker-1"])).toEqual(["in-flight"]);
    expect(ids({ deployed: two }, undefined, ["broker-1", "broker-0"])).toEqual([]);
    expect(ids({ deployed: two }, undefined, [])).toEqual(["in-flight"]);
  });

  test("is known by the log alone as long as it is pending", () => {
    const facts = { out: ["broker-0"] };
    expect(among(reasons({ spec: withImages("broker-0") }, { at: NOW, facts }), "in-flight")).toEqual([
      {
        id: "in-flight",
        text: "broker-0 is in flight (its work has begun to leave)",
        remedy: "rollout deploy broker-0",
      },
    ]);
    expect(ids({}, { at: NOW, facts })).toEqual([]);
  });
});

describe("groups that have never stood", () => {
  test("are created first, each named", () => {
    const deployed = withGroup(withGroup(standing, "broker-0", { revisions: [] }), "broker-1", {
      revisions: [],
    });
    expect(ids({ deployed }, undefined, ["broker-2"])).toEqual([]);
    expect(reasons({ deployed }, undefined, ["broker-0", "broker-1"])).toEqual([
      {
        id: "new",
        text: "broker-0, broker-1 are new and have never stood",
        remedy: "npx rollout deploy cluster",
      },
    ]);
  });

  test("are not created where their pool retires", () => {
    const retiring = change(spec, (edited) =>
      Object.assign(poolOf(edited, "broker"), { retire: "keep-volumes" }),
    );
    const groups = new Map(standing.groups);
    groups.delete("broker-1");
    expect(among(reasons({ spec: retiring, deployed: { ...standing, groups } }), "new", "retired")).toEqual([
      {
        id: "retired",
        text: "nothing of broker-1 has ever stood or is left, and its pool retires",
        remedy: "rollout status",
      },
    ]);
  });
});

describe("pending", () => {
  test("is a reason where another group is, or more than one, unless they may queue", () => {
    expect(ids({ spec: withImages("broker-1") })).toEqual([]);
    expect(ids({ spec: withImages("broker-2") })).toEqual(["pending"]);
    const two = withImages("broker-1", "broker-2");
    expect(ids({ spec: two }, undefined, ["broker-1", "broker-2"])).toEqual(["pending"]);
    const queue = change(two, (edited) => {
      edited.rollout.pendingGroups = "queue";
    });
    expect(ids({ spec: queue })).toEqual([]);
  });

  test("is one change where a pool retires, for each of its groups and for no other", () => {
    const retiring = change(spec, (edited) =>
      Object.assign(poolOf(edited, "broker"), { retire: "keep-volumes" }),
    );
    expect(ids({ spec: retiring }, undefined, ["broker-0", "broker-1", "broker-2"])).toEqual([]);
    expect(ids({ spec: retiring }, undefined, ["broker-2"])).toEqual([]);
    expect(ids({ spec: retiring }, undefined, ["name-server-0"])).toEqual(["pending"]);
  });
});

describe("what the run folder says", () => {
  test("is a hold of either kind, and a run", () => {
    expect(ids({}, { at: NOW, hold: PAUSE })).toEqual(["paused"]);
    expect(ids({}, { at: NOW, hold: CANCEL })).toEqual(["cancelled"]);
    expect(ids({}, { at: NOW, run: RUN })).toEqual(["run"]);
  });

  test("is the pace of a roll, of which the interval alone passes by itself", () => {
    const slow = change(spec, (edited) => {
      Object.assign(edited.rollout, { interval: "15m", manual: true, pauseAfter: ["broker-0"] });
    });
    const facts = { ...NOTHING, lastEnd: { group: "broker-0", at: Date.parse(ago(5)) } };
    expect(reasons({ spec: slow }, { at: NOW, facts }).map(({ id, until }) => [id, until])).toEqual([
      ["manual", undefined],
      ["pause-after", undefined],
      ["interval", NOW + 10 * 60_000],
    ]);
    expect(ids({ spec: slow }, { at: NOW, facts: { ...facts, heldAt: Date.parse(ago(4)) } })).toEqual([
      "interval",
    ]);
    expect(ids({ spec: slow }, { at: NOW, facts: { ...facts, heldAt: Date.parse(ago(6)) } })).toHaveLength(3);
    expect(ids({ spec: slow }, { at: NOW })).toEqual([]);
  });

  test("is the pace of a group that Terraform has rolled by itself, too, as the state says", () => {
    const slow = change(spec, (edited) => {
      Object.assign(edited.rollout, { interval: "15m", pauseAfter: ["broker-0"] });
    });
    const [created] = groupIn(standing, "broker-0").revisions;
    const roll = { by: "ops@build-2", begun: ago(9), ended: ago(5), how: "by Terraform alone" };
    const rolledBy = (number: number) =>
      withGroup(standing, "broker-0", { revisions: created ? [{ ...created, number, roll }] : [] });
    const before = { ...NOTHING, lastEnd: { group: "broker-2", at: Date.parse(ago(60)) } };
    const known = { at: NOW, facts: { ...before, heldAt: Date.parse(ago(50)) } };
    expect(ids({ spec: slow, deployed: rolledBy(2) }, known)).toEqual(["pause-after", "interval"]);
    expect(ids({ spec: slow, deployed: rolledBy(1) }, known)).toEqual([]);
  });

  test("is the next window, of whatever group, and nothing while one is open", () => {
    const inWindows = (from: string, to: string): Spec =>
      change(spec, (edited) => {
        edited.rollout.windows = [{ days: ["sat"], from, to, zone: "Europe/Berlin" }];
      });
    // NOW is 11:00 of a Saturday in Berlin.
    const facts = { ...NOTHING, lastEnd: { group: "broker-1", at: Date.parse(ago(5)) } };
    expect(reasons({ spec: inWindows("12:00", "13:00") }, { at: NOW, facts })).toEqual([
      {
        id: "window",
        text: "rollout.windows: none is open before 11:00 UTC",
        until: NOW + 60 * 60_000,
        remedy: "wait for it",
      },
    ]);
    expect(ids({ spec: inWindows("11:00", "13:00") }, { at: NOW, facts })).toEqual([]);
    expect(ids({ spec: inWindows("10:00", "11:00") }, { at: NOW, facts })).toEqual(["window"]);
  });

  test("is a pause to its end, and after that none", () => {
    const until = new Date(NOW + 60_000).toISOString();
    expect(reasons({}, { at: NOW, hold: { ...PAUSE, until } })).toMatchObject([
      {
        id: "paused",
        text: 'demo is paused (since 09:12 UTC until 10:01 UTC by ops@build-1, "waiting for the DBA")',
        until: NOW + 60_000,
      },
    ]);
  });

  test("is no pace for the group that was rolled last: after an undo it goes at once", () => {
    const slow = change(spec, (edited) => {
      Object.assign(edited.rollout, { interval: "15m", pauseAfter: ["broker-1"] });
    });
    const facts = { ...NOTHING, lastEnd: { group: "broker-1", at: Date.parse(ago(5)) } };
    expect(ids({ spec: slow }, { at: NOW, facts })).toEqual([]);
    expect(ids({ spec: slow }, { at: NOW, facts }, ["broker-1", "broker-2"])).toEqual([
      "pause-after",
      "interval",
    ]);
  });
});

test("what is deployed has to be the state itself", () => {
  const { origin } = standing;
  const copy = { ...standing, origin: origin.kind === "state" ? { ...origin, copy: true as const } : origin };
  expect(ids({ deployed: copy })).toEqual(["not-the-state"]);
});
