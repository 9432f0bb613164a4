import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { groupsOf, poolsOf, roleOf } from "../../cluster/groups.js";
import { EXAMPLE, rawSpec, specOf } from "./yaml/example.js";

test("groups come in the rollout's order: Consul servers, Nomad servers, client pools as written", () => {
  expect(groupsOf(specOf(EXAMPLE)).map(({ name }) => name)).toEqual([
    "consul-server-0",
    "consul-server-1",
    "consul-server-2",
    "nomad-server-0",
    "nomad-server-1",
    "nomad-server-2",
    "name-server-0",
    "name-server-1",
    "name-server-2",
    "broker-0",
    "broker-1",
    "broker-2",
  ]);
});

test("where the servers stand in the file does not matter", () => {
  const { pools, ...rest } = JSON.parse(JSON.stringify(specOf(EXAMPLE))) as {
    pools: Record<string, unknown>;
  };
  const reversed = Object.fromEntries(Object.entries(pools).reverse());
  const names = poolsOf(specOf(JSON.stringify({ ...rest, pools: reversed }))).map(({ name }) => name);
  expect(names).toEqual(["consul-server", "nomad-server", "broker", "name-server"]);
});

test("each group has the values at its index", () => {
  const text = EXAMPLE.replace("hosts: [3, 3, 3]", "hosts: [1, 2, 3]").replace(
    "generations: [0, 0, 0]",
    "generations: [0, 5, 0]",
  );
  const groups = groupsOf(specOf(text)).filter(({ pool }) => pool === "broker");
  expect(groups.map(({ index, hosts, generation }) => [index, hosts, generation])).toEqual([
    [0, 1, 0],
    [1, 2, 5],
    [2, 3, 0],
  ]);
});

test("a group has one host and generation 0 unless the spec says otherwise", () => {
  const [group] = groupsOf(specOf(EXAMPLE));
  expect(group).toEqual({
    name: "consul-server-0",
    pool: "consul-server",
    index: 0,
    role: "consul-server",
    retires: false,
    image: "ami-0aaa",
    instanceType: "t3.small",
    generation: 0,
    hosts: 1,
    hash: group?.hash,
  });
});

test("a pool has its load balancer, and says whether its work moves or stays", () => {
  const [consul, , names, broker] = poolsOf(specOf(EXAMPLE));
  expect([consul, names, broker].map((pool) => [pool?.workload, pool?.loadBalancer?.port])).toEqual([
    ["moves", undefined],
    ["moves", undefined],
    ["stays", 9876],
  ]);
});

test("every pool but the two of servers is one of clients", () => {
  expect(["consul-server", "nomad-server", "consul-servers", "broker"].map(roleOf)).toEqual([
    "consul-server",
    "nomad-server",
    "client",
    "client",
  ]);
});

test("every pool has three groups, and no two groups have the same name", () => {
  fc.assert(
    fc.property(rawSpec, (raw) => {
      const names = groupsOf(specOf(JSON.stringify(raw))).map(({ name }) => name);
      expect(new Set(names).size).toBe(3 * Object.keys(raw.pools).length);
    }),
    { numRuns: 50 },
  );
});
