import { expect, test } from "@jest/globals";
import { defaultGroups, refusedPair } from "../../rehearsal/default-groups.js";
import { poolsOf, type Pool } from "../../cluster/groups.js";
import { EXAMPLE, specOf } from "../cluster/yaml/example.js";

const POOLS = poolsOf(specOf(EXAMPLE));

test("of the example, the pool whose work moves and a Consul server are rolled", () => {
  expect(names(defaultGroups(POOLS))).toEqual(["name-server-0", "consul-server-0"]);
});

test("where no work moves, the pool with the most machines is rolled", () => {
  const staying = POOLS.map((pool): Pool => ({ ...pool, workload: "stays" }));
  expect(names(defaultGroups(staying))).toEqual(["broker-0", "consul-server-0"]);
});

test("without clients, a Consul server alone is rolled", () => {
  const servers = POOLS.filter(({ role }) => role !== "client");
  expect(names(defaultGroups(servers))).toEqual(["consul-server-0"]);
  expect(names(refusedPair(servers))).toEqual(["nomad-server-1", "consul-server-2"]);
});

test("the two groups that are refused are of two pools", () => {
  expect(names(refusedPair(POOLS))).toEqual(["broker-1", "consul-server-2"]);
});

const names = (groups: readonly { readonly name: string }[]): string[] => groups.map(({ name }) => name);
