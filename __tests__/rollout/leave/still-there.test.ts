import { expect, test } from "@jest/globals";
import { atWork, stillThere } from "../../../rollout/leave/still-there.js";
import { known, nodeOf, observed, pick, type World } from "../observed.js";

const HOSTS = ["broker-0-0", "broker-0-1"];

const there = (...edits: readonly ((world: World) => void)[]) => {
  const found = stillThere(observed(...edits), HOSTS);
  return typeof found === "string" ? found : found.map(({ id }) => id);
};

test("machines that are drained and still there are known by their nodes, dead records left out", () => {
  expect(
    there((world) => {
      const node = pick(world.nomad.nodes, "broker-0-0-node");
      Object.assign(node, { eligibility: "ineligible", drain: { deadlineAt: null } });
      known(world.nomad.nodes).push({ ...nodeOf("broker-0-1"), id: "old", status: "down" });
    }),
  ).toEqual(["broker-0-0-node", "broker-0-1-node"]);
});

test.each<[string, string, (world: World) => void]>([
  [
    "one has left Consul",
    "broker-0-1 has left or died",
    (world) => (pick(world.consul.members, "broker-0-1").status = "left"),
  ],
  [
    "two are no members",
    "broker-0-0, broker-0-1 have left or died",
    (world) =>
      (world.consul.members = known(world.consul.members).filter(({ name }) => !HOSTS.includes(name))),
  ],
  [
    "a node is down",
    "broker-0-0 has left or died",
    (world) => (pick(world.nomad.nodes, "broker-0-0-node").status = "down"),
  ],
  [
    "a node is not known any more",
    "broker-0-0 has left or died",
    (world) => (world.nomad.nodes = known(world.nomad.nodes).filter(({ name }) => name !== "broker-0-0")),
  ],
  [
    "a machine is terminated, which nobody else has seen yet",
    "broker-0-1 has left or died",
    (world) =>
      (world.machines = [{ host: "broker-0-1", id: "i-1", image: "ami-0aaa", state: "shutting-down" }]),
  ],
  [
    "Consul does not answer",
    "members: 500 No cluster leader",
    (world) => (world.consul.members = { unknown: "500 No cluster leader" }),
  ],
])("refuses where %s", (_, why, edit) => {
  expect(there(edit)).toBe(why);
});

test("at work is what has neither left nor died nor been drained, and all where nobody knows", () => {
  const hosts = (...edits: readonly ((world: World) => void)[]) => atWork(observed(...edits), HOSTS);
  const drained = (world: World): void => {
    Object.assign(pick(world.nomad.nodes, "broker-0-0-node"), { drain: { deadlineAt: null } });
  };
  expect(hosts()).toEqual(HOSTS);
  expect(hosts(drained)).toEqual(["broker-0-1"]);
  expect(hosts((world) => (pick(world.consul.members, "broker-0-1").status = "left"))).toEqual([
    "broker-0-0",
  ]);
  expect(
    hosts((world) => {
      pick(world.consul.members, "broker-0-1").status = "failed";
      pick(world.nomad.nodes, "broker-0-1-node").status = "down";
    }),
  ).toEqual(HOSTS);
  expect(hosts((world) => (world.nomad.nodes = { unknown: "no leader" }))).toEqual(HOSTS);
  expect(hosts((world) => (pick(world.nomad.nodes, "broker-0-0-node").eligibility = "ineligible"))).toEqual(
    HOSTS,
  );
});
