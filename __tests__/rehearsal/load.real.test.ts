import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { startLoad, type RunningLoad } from "../../rehearsal/load/load.js";
import { rehearsalJob, SERVICE } from "../../rehearsal/job.js";
import { faultsOf } from "../../rehearsal/report.js";
import { hostNames, poolsOf } from "../../cluster/groups.js";
import { startSimulatedCluster, type SimulatedWorld } from "../support/simulated-cluster.js";
import { LOCAL_EXAMPLE, specOf } from "../cluster/yaml/example.js";

/** As the simulated cluster of the tests lives. */
const SPEED = 20;
const SPEC = specOf(LOCAL_EXAMPLE);
const POOL = poolsOf(SPEC).find(({ name }) => name === "name-server");

let world: SimulatedWorld;
let load: RunningLoad | undefined;

beforeEach(async () => {
  world = await startSimulatedCluster(SPEC);
  await world.whole();
});

afterEach(async () => {
  await load?.abandon();
  load = undefined;
  await world.close();
});

describe("A load on a cluster", () => {
  test("counts every write that was acknowledged, and finds each again", async () => {
    await begin();
    await until(async () => (await keys()) > 20);
    const result = await stopped();
    expect(result.writes).toMatchObject({ failed: 0, triedAgain: 0, lost: [], firstError: null });
    expect(result.writes.acknowledged).toBeGreaterThan(20);
    expect(result.writes.acknowledged).toBe(result.writes.tried);
    expect(result.reads.tried).toBeGreaterThan(0);
    expect(result.requests).toBeNull();
  });

  test("counts an acknowledged write that is gone, and one that is another, as lost", async () => {
    await begin();
    await until(async () => (await keys()) > 10);
    const [first = "", second = ""] = [...world.simulator.cluster.consul.kv.entries.keys()];
    world.simulator.do(() => {
      world.simulator.cluster.consul.kv.delete(first);
      const entry = world.simulator.cluster.consul.kv.entries.get(second);
      if (entry) Object.assign(entry, { value: Buffer.from("another").toString("base64") });
    });
    const result = await stopped();
    expect(result.writes.lost).toEqual([first, second].sort());
    expect(faultsOf({ steps: [], load: result, work: { moved: 0, movedTwice: [] } })).toEqual([
      "acknowledged writes that were lost: 2",
    ]);
  });

  test("counts a write that nobody acknowledges as failed, once, with the first error", async () => {
    const off = world.simulator.cluster.faults.add({
      kind: "status",
      status: 500,
      body: "disk full",
      method: "PUT",
    });
    await begin();
    await wait(1_500);
    off();
    const result = await stopped();
    expect(result.writes.failed).toBeGreaterThan(0);
    expect(result.writes.triedAgain).toBeGreaterThanOrEqual(result.writes.failed);
    expect(result.writes.firstError).toContain("disk full");
    expect(result.writes.lost).toEqual([]);
  });

  test("goes on at another agent when the one that it asks has gone", async () => {
    await begin();
    await until(async () => (await keys()) > 10);
    await world.kill("broker-0-0");
    const before = await keys();
    await until(async () => (await keys()) > before + 20);
    const result = await stopped();
    expect(result.writes).toMatchObject({ failed: 0, lost: [] });
  });

  test("asks a service where Consul says that it is healthy, and counts what fails", async () => {
    if (!POOL) throw new Error("no pool name-server in the example");
    await world.run(rehearsalJob(POOL));
    await begin(SERVICE);
    const hosts = POOL.groups.flatMap(hostNames);
    expect(await serving()).toEqual(hosts);
    await wait(500);
    // Tasks end, and Consul is not told.
    const { scheduler } = world.simulator.cluster.nomad;
    for (const allocation of scheduler.allocations.values()) allocation.client = "failed";
    await wait(1_500);
    const result = await stopped();
    expect(result.requests?.tried).toBeGreaterThan(3);
    expect(result.requests?.failed).toBeGreaterThan(0);
    expect(result.requests?.firstError).toContain("fetch failed");
    expect(result.writes.failed).toBe(0);
  });
});

async function begin(service?: string): Promise<void> {
  const consul = ["broker-0-0", "broker-1-0"].map((name) => `${world.simulator.url(name)}/consul`).join(",");
  load = await startLoad({ consul, speed: SPEED, ...(service === undefined ? {} : { service }) });
}

async function stopped() {
  const running = load;
  load = undefined;
  if (!running) throw new Error("no load");
  return running.stop();
}

const keys = (): Promise<number> => Promise.resolve(world.simulator.cluster.consul.kv.entries.size);

async function serving(): Promise<string[]> {
  const answer = await fetch(`${world.simulator.url("broker-0-0")}/consul/v1/catalog/service/${SERVICE}`);
  const text = await answer.text();
  return [...text.matchAll(/"Node":"([^"]+)"/g)].map(([, name = ""]) => name).sort();
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error("it has not become so");
}
