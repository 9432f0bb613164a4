import { expect, test } from "@jest/globals";
import type { SimulatedCluster } from "../cluster.js";
import { ask, BROKERS, leadership, machine, put, steadyCluster } from "./world.js";

test("equal calls give equal answers, ids and times included", () => {
  expect(story(steadyCluster())).toEqual(story(steadyCluster()));
});

test("a factor scales all times and changes nothing else", () => {
  expect(story(steadyCluster({ factor: 0.01 }))).toEqual(story(steadyCluster()));
});

test("however the time is cut into pieces, the same happens", () => {
  const whole = steadyCluster();
  const pieces = steadyCluster();
  for (const cluster of [whole, pieces]) cluster.killMachine(BROKERS[0]);
  whole.advance(60_000);
  for (let piece = 0; piece < 600; piece++) pieces.advance(100);
  expect(everything(pieces)).toEqual(everything(whole));
});

test("ids are full UUIDs and no two are the same", () => {
  const cluster = steadyCluster();
  const ids = Array.from({ length: 10_000 }, () => cluster.nomad.ids.next());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))).toBe(true);
});

function story(cluster: SimulatedCluster): unknown[] {
  const ms = (simulated: number): void => {
    cluster.advance(simulated * cluster.timeline.factor);
  };
  const { followers } = leadership(cluster, "consul");
  put(cluster, followers[0], "/consul/v1/agent/leave");
  ms(1_000);
  cluster.killMachine(followers[0]);
  cluster.startMachine(machine(followers[0]));
  cluster.runJob({ ID: "web", TaskGroups: [{ Count: 3 }] });
  ms(20_000);
  return everything(cluster);
}

const everything = (cluster: SimulatedCluster): unknown[] =>
  [
    "/consul/v1/agent/members",
    "/consul/v1/operator/autopilot/health",
    "/consul/v1/catalog/nodes",
    "/nomad/v1/nodes",
    "/nomad/v1/allocations",
    "/nomad/v1/operator/autopilot/health",
  ].map((path) => ask(cluster, BROKERS[1], path));
