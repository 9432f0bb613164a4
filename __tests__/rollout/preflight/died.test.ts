import { expect, test } from "@jest/globals";
import { fatesOf, notDead, stoodWith } from "../../../rollout/preflight/died.js";
import type { DeployedGroup, DeployedHost } from "../../../cluster/deployed.js";
import { groupIn, deployedAs, smallSpec } from "../../support/fixtures.js";
import { known, observed, pick, type World } from "../observed.js";

test("nothing is said of machines that are well", () => {
  expect(fates("client", ["broker-0-0", "broker-0-1"])).toEqual([]);
  expect(fates("consul-server", ["consul-server-0-0"])).toEqual([]);
  expect(fates("nomad-server", ["nomad-server-0-0"])).toEqual([]);
});

test("a machine is dead where none of its agents lives", () => {
  expect(
    fates("client", ["broker-0-0", "broker-0-1"], consulFailed("broker-0-1"), nodeDown("broker-0-1")),
  ).toEqual(["broker-0-1 dead: its Consul agent is failed, its node is down"]);
  const disconnected = (world: World): void => {
    pick(world.nomad.nodes, "broker-0-1-node").status = "disconnected";
  };
  expect(fates("client", ["broker-0-1"], consulFailed("broker-0-1"), disconnected)).toEqual([
    "broker-0-1 dead: its Consul agent is failed, its node is disconnected",
  ]);
  expect(fates("client", ["broker-0-1"], disconnected)).toEqual([
    "broker-0-1 half: its node is disconnected",
  ]);
  expect(fates("consul-server", ["consul-server-0-0"], consulFailed("consul-server-0-0"))).toEqual([
    "consul-server-0-0 dead: its Consul agent is failed",
  ]);
  expect(
    fates("nomad-server", ["nomad-server-0-0"], consulFailed("nomad-server-0-0"), (world) => {
      pick(world.nomad.members, "nomad-server-0-0.global").status = "failed";
    }),
  ).toEqual(["nomad-server-0-0 dead: its Consul agent is failed, its Nomad server is failed"]);
});

test("a machine whose node is disconnected may run its work on unless EC2 says that it is gone", () => {
  const cut = (edit: Edit): string[] =>
    fates("client", ["broker-0-1"], consulFailed("broker-0-1"), edit, (world) => {
      pick(world.nomad.nodes, "broker-0-1-node").status = "disconnected";
    });
  const why = "its Consul agent is failed, its node is disconnected";
  const half = [`broker-0-1 half: ${why}; sudo systemctl start consul on broker-0-1`];
  expect(cut(machines(["broker-0-1", "running"]))).toEqual(half);
  expect(
    cut((world) => {
      world.machines = { unknown: "RequestLimitExceeded" };
    }),
  ).toEqual(half);
  expect(cut(machines(["broker-0-0", "running"]))).toEqual([`broker-0-1 dead: ${why}`]);
  expect(cut(machines(["broker-0-1", "stopped"]))).toEqual([
    "broker-0-1 dead: EC2 has broker-0-1-id as stopped",
  ]);
});

test("a machine is half gone where one of its agents lives, and how that one is mended is said", () => {
  expect(fates("client", ["broker-0-1"], nodeDown("broker-0-1"))).toEqual([
    "broker-0-1 half: its node is down; sudo systemctl start nomad on broker-0-1",
  ]);
  expect(fates("client", ["broker-0-1"], consulFailed("broker-0-1"))).toEqual([
    "broker-0-1 half: its Consul agent is failed; sudo systemctl start consul on broker-0-1",
  ]);
});

test("an agent that leaves lives, and so does a node that is only ineligible", () => {
  const leaving = (world: World): void => {
    pick(world.consul.members, "consul-server-0-0").status = "leaving";
  };
  expect(fates("consul-server", ["consul-server-0-0"], leaving)).toEqual([
    "consul-server-0-0 doubt: its Consul agent is leaving; sudo systemctl start consul on consul-server-0-0",
  ]);
  const ineligible = (world: World): void => {
    pick(world.nomad.nodes, "broker-0-0-node").eligibility = "ineligible";
  };
  expect(fates("client", ["broker-0-0"], ineligible)).toEqual([
    "broker-0-0 doubt: its node is ineligible; nomad node eligibility -enable broker-0-0-node",
  ]);
});

test.each(["terminated", "shutting-down", "stopped", "stopping"] as const)(
  "a machine that EC2 has as %s is dead, whatever its agents say",
  (state) => {
    expect(fates("client", ["broker-0-0"], machines(["broker-0-0", state]))).toEqual([
      `broker-0-0 dead: EC2 has broker-0-0-id as ${state}`,
    ]);
  },
);

test("a machine that nobody knows is dead where EC2 knows others and none of its name", () => {
  const forgotten = (world: World): void => {
    world.consul.members = without(world.consul.members, "broker-0-0");
    world.nomad.nodes = without(world.nomad.nodes, "broker-0-0");
  };
  const why = "its Consul agent is no member, Nomad has no node of this name";
  expect(fates("client", ["broker-0-0"], forgotten, machines(["broker-1-0", "running"]))).toEqual([
    `broker-0-0 dead: ${why}`,
  ]);
  const half = `broker-0-0 half: ${why}; sudo systemctl start consul on broker-0-0, and sudo systemctl start nomad on broker-0-0`;
  expect(fates("client", ["broker-0-0"], forgotten)).toEqual([half]);
  expect(fates("client", ["broker-0-0"], forgotten, machines(["broker-0-0", "running"]))).toEqual([half]);
});

test("nobody is dead by the word of Consul and Nomad where one of them cannot be asked", () => {
  const dead = [consulFailed("consul-server-0-0"), consulFailed("broker-0-0"), nodeDown("broker-0-0")];
  const leaderless = (world: World): void => {
    world.consul.autopilot = { unknown: "500 No cluster leader", passing: true };
    world.nomad.nodes = { unknown: "cannot be reached" };
  };
  expect(fates("consul-server", ["consul-server-0-0"], ...dead, leaderless)).toEqual([
    "consul-server-0-0 doubt: nobody knows whether it lives: 500 No cluster leader",
  ]);
  expect(fates("client", ["broker-0-0"], ...dead, leaderless)).toEqual([
    "broker-0-0 doubt: nobody knows whether it lives: cannot be reached",
  ]);
});

test("nobody is dead by the word of a Consul of another cluster, whose groups have the same names", () => {
  const other = (world: World): void => {
    world.consul.catalog = known(world.consul.catalog).map((node) => ({
      ...node,
      meta: { ...node.meta, rollout_cluster: "staging" },
    }));
  };
  expect(fates("client", ["broker-0-0"], consulFailed("broker-0-0"), nodeDown("broker-0-0"), other)).toEqual([
    "broker-0-0 doubt: nobody knows whether it lives: the Consul that was asked knows no machine of demo",
  ]);
});

test("nobody is dead by the word of a Nomad of another cluster, which has no node of that name", () => {
  const forgotten = (world: World): void => {
    world.nomad.nodes = known(world.nomad.nodes).filter(({ name }) => !name.startsWith("broker-0"));
    for (const node of world.nomad.nodes) node.meta = {};
  };
  const other = (world: World): void => {
    for (const member of known(world.nomad.members)) member.address = "10.9.0.1";
  };
  const one = consulFailed("broker-0-0");
  const dead = "broker-0-0 dead: its Consul agent is failed, Nomad has no node of this name";
  expect(fates("client", ["broker-0-0"], one, forgotten)).toEqual([dead]);
  expect(fates("client", ["broker-0-0"], one, forgotten, other)).toEqual([
    "broker-0-0 doubt: nobody knows whether it lives: the Nomad that was asked knows no machine of demo",
  ]);
});

test("only machines of the template that the record proves have stood", () => {
  const group = groupIn(deployedAs(smallSpec()), "broker-0");
  const [host] = group.hosts as [DeployedHost];
  const hosts = [host, { ...host, number: 1, id: "new" }, { ...host, number: 2, id: "old", hash: "other" }];
  const ids = (given: DeployedGroup): unknown => stoodWith(host.hash, given).map(({ id }) => id);
  const completed = { attempt: 2, hosts: `${String(host.id)}:2,old:2`, gate: "open" };
  expect(ids({ ...group, hosts, completed })).toEqual([host.id]);
  expect(ids({ ...group, hosts, completed: { ...completed, gate: "closed" } })).toEqual([]);
  // An earlier version has recorded none.
  const ready = { hosts: `${String(host.id)},old`, hash: host.hash, gate: "open" };
  expect(ids({ ...group, hosts, ready, completed: undefined })).toEqual([host.id]);
  expect(ids({ ...group, hosts, ready: { ...ready, gate: "closed" }, completed: undefined })).toEqual([]);
});

test("one that was seen dead and lives again is told from those that are dead still", () => {
  const hosts = hostsOf(["broker-0-0", "broker-0-1"]);
  const look = (...edits: readonly Edit[]): string[] =>
    notDead(hosts, fatesOf(observed(...edits), { role: "client", cluster: "demo" }, hosts));
  const dead = ["broker-0-0", "broker-0-1"].flatMap((host) => [consulFailed(host), nodeDown(host)]);
  expect(look(...dead)).toEqual([]);
  expect(look(...dead.slice(0, 2))).toEqual(["broker-0-1 lives again"]);
  expect(look(...dead.slice(0, 3))).toEqual([
    "broker-0-1 may live: its Consul agent is failed; sudo systemctl start consul on broker-0-1",
  ]);
});

type Edit = (world: World) => void;

const consulFailed =
  (host: string): Edit =>
  (world) => {
    pick(world.consul.members, host).status = "failed";
  };

const nodeDown =
  (host: string): Edit =>
  (world) => {
    pick(world.nomad.nodes, `${host}-node`).status = "down";
  };

const machines =
  (
    ...all: readonly (readonly [
      host: string,
      state: "running" | "terminated" | "shutting-down" | "stopped" | "stopping",
    ])[]
  ): Edit =>
  (world) => {
    world.machines = all.map(([host, state]) => ({ host, id: `${host}-id`, image: "ami-0aaa", state }));
  };

function without<T extends { readonly name: string }>(
  list: readonly T[] | { readonly unknown: string },
  host: string,
): T[] {
  if ("unknown" in list) throw new Error(list.unknown);
  return list.filter(({ name }) => name !== host);
}

const fates = (role: DeployedGroup["role"], names: readonly string[], ...edits: readonly Edit[]): string[] =>
  fatesOf(observed(...edits), { role, cluster: "demo" }, hostsOf(names)).map(
    ({ host, kind, why }) => `${host} ${kind}: ${why}`,
  );

const hostsOf = (names: readonly string[]): DeployedHost[] =>
  names.map((name, number) => ({ name, number, id: `${name}-id`, image: "", instanceType: "", hash: "" }));
