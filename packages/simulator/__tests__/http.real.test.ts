import { afterEach, describe, expect, test } from "@jest/globals";
import type { Fault } from "../faults.js";
import { Simulator, startSimulator } from "../http/simulator.js";
import { BROKERS, CONSUL_SERVERS, machine, NOMAD_SERVERS } from "./world.js";

const [BROKER] = BROKERS;
let simulator: Simulator | undefined;

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

describe("the simulator on 127.0.0.1", () => {
  test("serves both products of a machine on its one port", async () => {
    const { base } = await started();
    const leader = await fetch(`${base}/consul/v1/status/leader`);
    expect(leader.status).toBe(200);
    expect(leader.headers.get("content-type")).toBe("application/json");
    expect(await leader.json()).toBe("10.0.1.1:8300");
    const self: unknown = await (await fetch(`${base}/consul/v1/agent/self`)).json();
    expect(self).toMatchObject({ Meta: { rollout_host: BROKER } });
    const nodes = await fetch(`${base}/nomad/v1/nodes`);
    expect(nodes.headers.get("x-nomad-knownleader")).toBe("true");
    expect((await fetch(`${base}/other`)).status).toBe(404);
  });

  test("answers a leave when its time has passed, and keeps the port for the successor", async () => {
    const { base, world } = await started();
    const leaving = fetch(`${base}/consul/v1/agent/leave`, { method: "PUT" });
    await arrival(world);
    world.advance(4_100);
    expect((await leaving).status).toBe(200);
    await expect(fetch(`${base}/consul/v1/agent/self`)).rejects.toThrow("fetch failed");
    world.cluster.killMachine(BROKER);
    await world.startMachine(machine(BROKER));
    expect(world.url(BROKER)).toBe(base);
    expect((await fetch(`${base}/consul/v1/agent/self`)).status).toBe(200);
  });

  test("resets what an agent that ends has not answered", async () => {
    const { base, world } = await started();
    const waiting = fetch(`${base}/consul/v1/kv/x?index=999999&wait=10s`);
    await arrival(world);
    world.cluster.killMachine(BROKER);
    const failed = expect(waiting).rejects.toThrow("fetch failed");
    world.advance(11_000);
    await failed;
  });

  test("lets time pass by itself with a real clock, as fast as its factor says", async () => {
    simulator = await startSimulator({
      clock: "real",
      factor: 0.001,
      machines: CONSUL_SERVERS.map((name) => machine(name)),
    });
    const url = simulator.url(CONSUL_SERVERS[0]);
    // Without a leader the request is held until there is one, 1.4 simulated seconds after the start.
    expect((await fetch(`${url}/consul/v1/catalog/nodes`)).status).toBe(200);
    expect((await fetch(`${url}/consul/v1/agent/leave`, { method: "PUT" })).status).toBe(200);
    expect(simulator.cluster.timeline.now).toBeGreaterThan(13_400);
  });
});

describe("a fault", () => {
  test.each<[Fault, number, string]>([
    [{ kind: "status", status: 403 }, 403, "Permission denied"],
    [{ kind: "status", status: 500 }, 500, "No cluster leader"],
    [{ kind: "status", status: 418, body: "tea" }, 418, "tea"],
    [{ kind: "empty-lists" }, 200, "[]"],
    [{ kind: "redirect", to: "http://127.0.0.2/" }, 307, ""],
  ])("%j changes the answer, only where it is switched on and as often", async (fault, status, body) => {
    const { base, world } = await started();
    world.cluster.faults.add({ ...fault, machine: BROKER, product: "nomad", path: "/v1/nodes", times: 1 });
    expect((await fetch(`${base}/consul/v1/catalog/nodes`)).status).toBe(200);
    expect((await fetch(`${world.url(NOMAD_SERVERS[0])}/nomad/v1/nodes`)).status).toBe(200);
    const hit = await fetch(`${base}/nomad/v1/nodes`, { redirect: "manual" });
    expect({ status: hit.status, body: await hit.text() }).toEqual({ status, body });
    expect(await (await fetch(`${base}/nomad/v1/nodes`)).text()).toContain(BROKER);
  });

  test("429 keeps the body of the answer", async () => {
    const { base, world } = await started();
    world.cluster.faults.add({ kind: "status", status: 429 });
    const answer = await fetch(`${base}/consul/v1/operator/autopilot/health`);
    expect(answer.status).toBe(429);
    expect(await answer.text()).toContain('"Healthy":true');
  });

  test.each<[Fault]>([[{ kind: "reset" }], [{ kind: "half" }]])(
    "%j ends the connection early",
    async (fault) => {
      const { base, world } = await started();
      const off = world.cluster.faults.add(fault);
      const read = async (): Promise<string> => (await fetch(`${base}/nomad/v1/nodes`)).text();
      await expect(read()).rejects.toThrow(/fetch failed|terminated/);
      off();
      expect(await read()).toContain(BROKER);
    },
  );

  test("an oversized answer has as many bytes as were asked for", async () => {
    const { base, world } = await started();
    world.cluster.faults.add({ kind: "oversized", bytes: 5_000_000 });
    expect((await (await fetch(`${base}/nomad/v1/nodes`)).text()).length).toBe(5_000_002);
  });

  test("slow holds the answer for its time", async () => {
    const { base, world } = await started();
    world.cluster.faults.add({ kind: "slow", ms: 3_000, product: "nomad" });
    let arrived = false;
    const slow = fetch(`${base}/nomad/v1/nodes`).then((answer) => {
      arrived = true;
      return answer.status;
    });
    await arrival(world);
    world.advance(2_900);
    await fetch(`${base}/consul/v1/status/leader`);
    expect(arrived).toBe(false);
    world.advance(200);
    expect(await slow).toBe(200);
  });

  test("a lost leader is back when the fault is over, and a server that may not vote never does", async () => {
    const { world } = await started();
    const { raft } = world.cluster.consul;
    raft.leaderless = true;
    world.advance(60_000);
    expect(raft.leader).toBeUndefined();
    raft.leaderless = false;
    world.advance(1_000);
    expect(raft.leader).toBeDefined();
    const [name] = CONSUL_SERVERS;
    world.cluster.consul.nonVoters.add(name);
    world.cluster.killMachine(name);
    await world.startMachine(machine(name));
    world.advance(120_000);
    expect(raft.peers.find((peer) => peer.name === name)?.voter).toBe(false);
  });
});

async function started() {
  const names = [...CONSUL_SERVERS, ...NOMAD_SERVERS, ...BROKERS];
  const world = await startSimulator({ machines: names.map((name) => machine(name)) });
  simulator = world;
  world.advance(31_000);
  return { world, base: world.url(BROKER) };
}

/** Until a request that has been sent is being held. */
async function arrival(world: Simulator): Promise<void> {
  while (world.cluster.timeline.held === 0) await new Promise(setImmediate);
}
