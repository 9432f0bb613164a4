import { afterEach, expect, test } from "@jest/globals";
import { consulRights } from "../../../live/observe/consul-rights.js";
import type { ConsulRules } from "../../../packages/simulator/consul/access.js";
import { startWorld, type World } from "../../support/still-cluster.js";

let world: World;

afterEach(async () => {
  await world.close();
});

async function start(rules: ConsulRules): Promise<void> {
  world = await startWorld(
    { consul: { tokens: new Map([["token", rules]]) } },
    { CONSUL_HTTP_TOKEN: "token" },
  );
}

test("agents may be made to leave only where that is allowed for every host", async () => {
  await start({ agentPrefix: { "broker-0-0": "write", "broker-1-": "write" } });
  const { consul } = world.live;
  expect(await consulRights(consul, ["broker-0-0"])).toEqual(["agent:write"]);
  expect(await consulRights(consul, ["broker-0-0", "broker-0-1"])).toEqual([]);
  expect(await consulRights(consul, ["broker-1-0", "broker-1-1"])).toEqual(["agent:write"]);
});

test("more hosts than Consul answers for at once are all asked for", async () => {
  const hosts = Array.from({ length: 150 }, (_, host) => `broker-0-${String(host)}`);
  await start({ agentPrefix: Object.fromEntries(hosts.map((host) => [host, "write" as const])) });
  const { consul } = world.live;
  expect(await consulRights(consul, hosts)).toEqual(["agent:write"]);
  expect(await consulRights(consul, [...hosts, "other"])).toEqual([]);
});

test("a cluster is asked for the hosts that its catalog has", async () => {
  await start({ nodePrefix: { "": "read" }, agentPrefix: { broker: "write", "broker-1-0": "read" } });
  const rightsFor = async (group: string) => (await world.observe({ group })).consul.rights;
  expect(await rightsFor("broker-0")).toEqual(["node:read", "agent:write"]);
  expect(await rightsFor("broker-1")).toEqual(["node:read"]);
});
