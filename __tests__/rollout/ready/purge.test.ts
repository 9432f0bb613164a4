import { expect, test } from "@jest/globals";
import { deadRecords, dyingRecords } from "../../../rollout/ready/purge.js";
import { expecting, known, nodeOf, observed, pick, replaced, type World } from "../observed.js";

const expected = expecting("broker-0");

test("the dead records of replaced machines are purged", () => {
  expect(purged(observed(replaced("broker-0-0"), replaced("broker-0-1")))).toEqual([
    "broker-0-0-node",
    "broker-0-1-node",
  ]);
});

test("a record that is not down yet is never purged, and no live one", () => {
  const world = observed(replaced("broker-0-0"), (one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "ready";
  });
  expect(purged(world)).toEqual([]);
});

test("a record that stays disconnected is purged where the one machine of its name has another", () => {
  const world = observed(replaced("broker-0-0"), (one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "disconnected";
  });
  expect(purged(world)).toEqual(["broker-0-0-node"]);
  const machine = { host: "broker-0-0", id: "i-1", image: "ami-0bbb", state: "running" as const };
  world.machines = [machine, { ...machine, id: "i-0", state: "terminated" }];
  expect(purged(world)).toEqual(["broker-0-0-node"]);
  world.machines = [machine, { ...machine, id: "i-0" }];
  expect(purged(world)).toEqual([]);
  expect(dyingRecords(world, expected).map(({ id }) => id)).toEqual(["broker-0-0-node"]);
});

test("the new machine's own record is not purged while it is down", () => {
  const world = observed(replaced("broker-0-0"), (one) => {
    pick(one.nomad.nodes, "broker-0-0-node-new").status = "down";
  });
  expect(purged(world)).toEqual(["broker-0-0-node"]);
});

test("nothing of a host is purged whose present machine is not known", () => {
  const silent = observed(replaced("broker-0-0"), (one) => {
    pick(one.agents, "broker-0-0").nomad = { unknown: "ssh: connection refused" };
  });
  expect(purged(silent)).toEqual([]);
  const elsewhere = observed(replaced("broker-0-0"), (one) => {
    pick(one.agents, "broker-0-0").nomad = { id: "not-in-the-list" };
  });
  expect(purged(elsewhere)).toEqual([]);
});

test("dead records of other groups stay, also of one whose name begins alike", () => {
  const world = observed((one) => {
    pick(one.nomad.nodes, "broker-1-0-node").status = "down";
    known(one.nomad.nodes).push({ ...nodeOf("broker-0-00"), status: "down" });
    known(one.nomad.nodes).push({ ...nodeOf("broker-01-0"), status: "down" });
  });
  expect(purged(world)).toEqual([]);
});

test("the dead record of a host that the group no longer has is purged", () => {
  const world = observed((one) => {
    known(one.nomad.nodes).push({ ...nodeOf("broker-0-2"), status: "down" });
  });
  expect(purged(world)).toEqual(["broker-0-2-node"]);
});

test("nothing of a host that waits for a later batch is purged or waited for", () => {
  const batch = { ...expected, hosts: ["broker-0-0"] };
  const world = observed(replaced("broker-0-0"), (one) => {
    pick(one.nomad.nodes, "broker-0-1-node").status = "down";
  });
  const laterHosts = ["broker-0-1"];
  expect(deadRecords(world, { ...batch, laterHosts }).map(({ id }) => id)).toEqual(["broker-0-0-node"]);
  pick(world.nomad.nodes, "broker-0-1-node").status = "ready";
  expect(dyingRecords(world, { ...batch, laterHosts })).toEqual([]);
  expect(dyingRecords(world, batch)).toHaveLength(1);
});

test("servers have no records in Nomad's nodes, and what could not be asked is not purged", () => {
  const world = observed(replaced("broker-0-0"));
  expect(deadRecords(world, { ...expected, role: "nomad-server" })).toEqual([]);
  world.nomad.nodes = { unknown: "403" };
  expect(purged(world)).toEqual([]);
});

test("a record of a machine that is gone and is not down yet is one to wait for; no live one is", () => {
  const dying = (of: World): string[] => dyingRecords(of, expected).map(({ id }) => id);
  const world = observed(replaced("broker-0-0"), (one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "ready";
    known(one.nomad.nodes).push(nodeOf("broker-0-2"));
  });
  expect(dying(world)).toEqual(["broker-0-0-node", "broker-0-2-node"]);
  expect(dying(observed(replaced("broker-0-0")))).toEqual([]);
  expect(dying(observed())).toEqual([]);
});

const purged = (world: World): string[] => deadRecords(world, expected).map(({ id }) => id);
