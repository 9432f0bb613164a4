import { describe, expect, test } from "@jest/globals";
import { deadRecordsOf, type Remembered } from "../../../rollout/observation/dead-records.js";
import type { Machine } from "../../../rollout/observation/observation.js";
import { deployedAs, localSpec, withGroup } from "../../support/fixtures.js";

const spec = localSpec();
const standing = deployedAs(spec);
const meta = { rollout_cluster: "demo" };
const node = (name: string, more: Partial<Remembered["nodes"][number]> = {}) => ({
  id: "0123456789abcdef",
  name,
  status: "down",
  meta,
  ...more,
});
const seen = (more: Partial<Remembered>): Remembered => ({
  ...{ nodes: [], members: [], catalog: [] },
  machines: { unknown: "there is no EC2", absent: true },
  ...more,
});
const nodesOf = (...nodes: Remembered["nodes"]) => deadRecordsOf(spec, standing, seen({ nodes }));

test("a node that is down goes where another machine of its name has come", () => {
  expect(
    nodesOf(node("broker-0-1"), node("broker-0-1", { id: "fedcba9876543210", status: "ready" })),
  ).toEqual([
    { of: "nomad", name: "broker-0-1", id: "0123456789abcdef", why: "down, succeeded by fedcba98" },
  ]);
});

test("a node that is down goes where the state does not have it", () => {
  expect(nodesOf(node("broker-0-7"), node("retired-2-0"))).toMatchObject([
    { name: "broker-0-7", why: "down, not in the state" },
    { name: "retired-2-0", why: "down, not in the state" },
  ]);
});

test.each([
  ["a machine that is dead, in the state, and has no successor", [node("broker-0-1")]],
  [
    "one whose successor does not stand yet",
    [node("broker-0-1"), node("broker-0-1", { id: "fedcba9876543210", status: "initializing" })],
  ],
  [
    "one that is not down",
    [node("broker-0-7", { status: "disconnected" }), node("broker-0-8", { status: "ready" })],
  ],
  ["another cluster's", [node("broker-0-7", { meta: { rollout_cluster: "other" } })]],
  ["one of nobody's", [node("broker-0-7", { meta: {} }), node("laptop")]],
])("a node stays that is %s", (_, nodes) => {
  expect(nodesOf(...nodes)).toEqual([]);
});

describe("a node that is disconnected, which Nomad may leave so for good,", () => {
  const gone = node("broker-0-1", { status: "disconnected" });
  const next = node("broker-0-1", { id: "fedcba9876543210", status: "ready" });
  const machine = (host: string, id: string, state: Machine["state"] = "running") => ({
    ...{ host, id, state, image: "ami-0aaa" },
  });
  const whyOf = (machines: Remembered["machines"], ...nodes: Remembered["nodes"]) =>
    deadRecordsOf(spec, standing, seen({ nodes, machines })).map(({ why }) => why);

  test("goes once the one machine of its name has a record of its own", () => {
    expect(
      whyOf([machine("broker-0-1", "i-2"), machine("broker-0-1", "i-1", "terminated")], gone, next),
    ).toEqual(["disconnected, succeeded by fedcba98"]);
    expect(nodesOf(gone, next)).toHaveLength(1);
  });

  test("goes where neither the state nor EC2 has its machine", () => {
    const lost = node("broker-0-7", { status: "disconnected" });
    const why = ["disconnected, not in the state"];
    expect(whyOf([machine("broker-0-7", "i-1", "terminated")], lost)).toEqual(why);
    expect(whyOf([machine("broker-0-1", "i-1")], lost)).toEqual(why);
  });

  test.each<[string, Remembered["machines"], Remembered["nodes"]]>([
    [
      "two machines have its name",
      [machine("broker-0-1", "i-1"), machine("broker-0-1", "i-2")],
      [gone, next],
    ],
    ["EC2 cannot be asked", { unknown: "403" }, [gone, next]],
    ["EC2 lists no machine at all", [], [node("broker-0-7", { status: "disconnected" })]],
    ["it is ready again", [machine("broker-0-1", "i-1")], [next]],
    ["its dead machine is in the state", [machine("broker-0-1", "i-1", "terminated")], [gone]],
  ])("stays where %s", (_, machines, nodes) => {
    expect(whyOf(machines, ...nodes)).toEqual([]);
  });
});

test("a member that failed goes where the state does not have it, and no other", () => {
  const members = ["broker-0-7", "broker-0-8", "broker-0-1", "broker-2-9", "stranger"].map((name) => ({
    name,
    status: name === "broker-0-8" ? "left" : "failed",
  }));
  const catalog = members.map(({ name }) => ({
    name,
    meta: name === "broker-2-9" ? { rollout_cluster: "other" } : meta,
  }));
  expect(deadRecordsOf(spec, standing, seen({ members, catalog }))).toEqual([
    { of: "consul", name: "broker-0-7", id: "broker-0-7", why: "failed, not in the state" },
  ]);
  expect(deadRecordsOf(spec, standing, seen({ members }))).toEqual([]);
});

test("the records of a group in flight stay", () => {
  const half = withGroup(standing, "broker-0", { leave: false });
  const all = seen({
    nodes: [node("broker-0-7")],
    members: [{ name: "broker-0-7", status: "failed" }],
    catalog: [{ name: "broker-0-7", meta }],
  });
  expect(deadRecordsOf(spec, standing, all)).toHaveLength(2);
  expect(deadRecordsOf(spec, half, all)).toEqual([]);
});
