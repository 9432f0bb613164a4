import { describe, expect, test } from "@jest/globals";
import {
  ask,
  askLater,
  autopilot,
  BROKERS,
  bodyOf,
  CONSUL_SERVERS,
  consulStatus,
  leadership,
  machine,
  put,
  raft,
  steadyCluster,
  until,
} from "./world.js";
import type { SimulatedCluster } from "../cluster.js";
import * as z from "zod";

describe("a Consul server that leaves", () => {
  test("answers after 13.4 s, is gone from raft after 5 s and ends half a second after its answer", () => {
    const { cluster, leader, name } = world();
    const answers = askLater(cluster, name, "/consul/v1/agent/leave", "PUT");
    expect(until(cluster, () => consulStatus(cluster, leader, name) === 2, 10_000)).toBeCloseTo(4_900, -3);
    until(cluster, () => consulStatus(cluster, leader, name) === 3, 1_000);
    expect(raft(cluster, "consul", leader)).toHaveLength(2);
    expect(autopilot(cluster, "consul", leader).status).toBe(200);
    until(cluster, () => answers.length > 0, 10_000);
    expect(cluster.timeline.now - 31_000).toBeCloseTo(13_400, -3);
    expect(answers[0]).toMatchObject({ status: 200, body: "" });
    expect(until(cluster, () => !isRunning(cluster, name), 2_000)).toBeLessThanOrEqual(600);
    cluster.advance(2_100);
    expect(autopilot(cluster, "consul", leader)).toMatchObject({
      status: 200,
      Healthy: true,
      FailureTolerance: 0,
    });
  });

  test.each([
    ["the same address", undefined],
    ["a new address", "10.0.1.99"],
  ])("is a voter 4 to 14 s after its successor starts at %s", (_where, address) => {
    const { cluster, leader, name } = world();
    put(cluster, name, "/consul/v1/agent/leave");
    cluster.advance(1_000);
    cluster.killMachine(name);
    cluster.startMachine(machine(name, address === undefined ? {} : { address }));
    const id = (): string => cluster.machine(name).consul?.id ?? "";
    expect(until(cluster, () => peer(cluster, leader, id()) !== undefined, 2_000)).toBeLessThanOrEqual(400);
    // Healthy says nothing of the vote.
    cluster.advance(2_100);
    expect(autopilot(cluster, "consul", leader)).toMatchObject({
      status: 200,
      Healthy: true,
      FailureTolerance: 0,
    });
    expect(peer(cluster, leader, id())?.Voter).toBe(false);
    const ms = until(cluster, () => peer(cluster, leader, id())?.Voter === true, 14_000);
    expect(ms).toBeGreaterThan(1_500);
    until(cluster, () => autopilot(cluster, "consul", leader).FailureTolerance === 1, 2_200);
  });

  test("leaves the others to name it for 2.3 s when it led; the next leads after 3.5 s, writes are held meanwhile", () => {
    const { cluster, leader, name } = world();
    askLater(cluster, leader, "/consul/v1/agent/leave", "PUT");
    const address = `${machine(leader).address}:8300`;
    cluster.advance(100);
    expect(leaderAt(cluster, leader)).toBe("");
    expect(leaderAt(cluster, name)).toBe(address);
    const writes = askLater(cluster, BROKERS[0], "/consul/v1/kv/held", "PUT", "x");
    expect(until(cluster, () => leaderAt(cluster, name) === "", 5_000)).toBeCloseTo(2_200, -3);
    until(cluster, () => leaderAt(cluster, name) !== "", 5_000);
    expect(cluster.timeline.now - 31_000).toBeCloseTo(3_500, -3);
    expect(writes[0]).toMatchObject({ status: 200, body: "true" });
    expect(autopilot(cluster, "consul", name)).toMatchObject({ status: 429, Healthy: false, Servers: null });
    cluster.advance(2_100);
    expect(autopilot(cluster, "consul", name).Servers).not.toBeNull();
  });

  test("takes 17 s without a leader", () => {
    const { cluster, leader, name, other } = world();
    cluster.killMachine(leader);
    cluster.killMachine(other);
    cluster.advance(2_000);
    expect(put(cluster, name, "/consul/v1/agent/leave").tookMs).toBeCloseTo(17_200, -2);
  });

  test("is not a server that gets SIGTERM: it only fails, unless told to leave, and then is cut off", () => {
    const { cluster, leader, name } = world();
    cluster.stopAgent(name, "consul");
    expect(until(cluster, () => !isRunning(cluster, name), 2_000)).toBeLessThanOrEqual(600);
    until(cluster, () => consulStatus(cluster, leader, name) === 4, 6_000);

    const told = steadyCluster({}, { leaveOnTerminate: true });
    const { leader: asked, followers } = leadership(told, "consul");
    told.stopAgent(followers[0], "consul");
    until(told, () => consulStatus(told, asked, followers[0]) === 3, 6_000);
    expect(isRunning(told, followers[0])).toBe(true);
    told.advance(500);
    expect(isRunning(told, followers[0])).toBe(false);
  });
});

describe("a Consul server that is killed", () => {
  test("is failed after 5 s, unhealthy with a 429 and a body that is not called JSON, and then removed by autopilot", () => {
    const { cluster, leader, name } = world();
    cluster.killMachine(name);
    expect(autopilot(cluster, "consul", leader)).toMatchObject({ status: 200, FailureTolerance: 1 });
    const unhealthyMs = until(cluster, () => autopilot(cluster, "consul", leader).status === 429, 3_000);
    expect(unhealthyMs).toBeLessThanOrEqual(2_600);
    const health = autopilot(cluster, "consul", leader);
    expect(health.headers["Content-Type"]).toBe("text/plain; charset=utf-8");
    expect(health.Servers?.find(({ Name }) => Name === name)).toMatchObject({
      Healthy: false,
      LastContact: "-1ns",
      StableSince: "0001-01-01T00:00:00Z",
    });
    expect(unhealthyMs + until(cluster, () => consulStatus(cluster, leader, name) === 4, 6_000)).toBeCloseTo(
      5_100,
      -3,
    );
    until(cluster, () => consulStatus(cluster, leader, name) === 3, 10_500);
    cluster.advance(200);
    expect(raft(cluster, "consul", leader)).toHaveLength(2);
    cluster.advance(2_100);
    expect(autopilot(cluster, "consul", leader)).toMatchObject({
      status: 200,
      Healthy: true,
      FailureTolerance: 0,
    });
  });

  test("keeps its peer where dead servers are not cleaned up, until it is removed by id or forced to leave", () => {
    const { cluster, leader, name } = world({ consul: { cleanupDeadServers: false } });
    const { id = "", rpcAddress = "" } = cluster.machine(name).consul ?? {};
    cluster.killMachine(name);
    cluster.advance(25_000);
    expect(consulStatus(cluster, leader, name)).toBe(4);
    expect(raft(cluster, "consul", leader)).toHaveLength(3);
    const remove = `/consul/v1/operator/raft/peer?id=${id}`;
    expect(ask(cluster, leader, remove, { method: "DELETE" })).toMatchObject({ status: 200, body: "" });
    expect(ask(cluster, leader, remove, { method: "DELETE" })).toMatchObject({
      status: 500,
      body: `id "${id}" was not found in the Raft configuration`,
    });
    expect(
      ask(cluster, leader, `/consul/v1/operator/raft/peer?address=${rpcAddress}`, { method: "DELETE" }).body,
    ).toBe(`address "${rpcAddress}" was not found in the Raft configuration`);
    expect(consulStatus(cluster, leader, name)).toBe(4);
    put(cluster, BROKERS[0], `/consul/v1/agent/force-leave/${name}`);
    expect(consulStatus(cluster, leader, name)).toBe(3);
  });

  test("is listed with its old id, healthy and voting, half a second after it came back empty", () => {
    const { cluster, leader, name } = world();
    const oldId = cluster.machine(name).consul?.id;
    // Right after a look, so that the next is nearly 2 s away.
    const before = autopilot(cluster, "consul", leader);
    cluster.advance(1_100);
    cluster.killMachine(name);
    cluster.startMachine(machine(name));
    cluster.advance(500);
    const health = autopilot(cluster, "consul", leader);
    expect(health).toEqual(before);
    expect(health.Servers?.find(({ Name }) => Name === name)).toMatchObject({ ID: oldId, Voter: true });
    expect(peer(cluster, leader, oldId ?? "")).toBeUndefined();
  });

  test("is refused by gossip at a new address for at least 30 s of death, and only sees itself", () => {
    const { cluster, leader, name } = world();
    cluster.killMachine(name);
    cluster.startMachine(machine(name, { address: "10.0.1.99" }));
    cluster.advance(20_000);
    expect(ask(cluster, name, "/consul/v1/agent/members").body).toContain("10.0.1.99");
    expect(memberCount(cluster, name)).toBe(1);
    const ms = until(cluster, () => memberCount(cluster, name) > 1, 40_000);
    expect(ms + 20_000).toBeGreaterThan(37_000);
    expect(consulStatus(cluster, leader, name)).toBe(1);
  });

  test("joins a new address at once when it starts 35 s after its death was noticed", () => {
    const { cluster, name } = world();
    cluster.killMachine(name);
    cluster.advance(40_200);
    cluster.startMachine(machine(name, { address: "10.0.1.99" }));
    expect(until(cluster, () => memberCount(cluster, name) > 1, 2_000)).toBeLessThanOrEqual(300);
  });

  test("comes into raft only with the leader's next minute after an early force-leave or a prune", () => {
    const { cluster, leader, name } = world();
    cluster.killMachine(name);
    put(cluster, leader, `/consul/v1/agent/force-leave/${name}`);
    expect(consulStatus(cluster, leader, name)).toBe(2);
    until(cluster, () => consulStatus(cluster, leader, name) === 3, 6_000);
    cluster.advance(3_000);
    cluster.startMachine(machine(name));
    until(cluster, () => consulStatus(cluster, leader, name) === 1, 1_000);
    expect(until(cluster, () => raft(cluster, "consul", leader).length === 3, 61_000)).toBeGreaterThan(2_000);
  });

  test("is missed by the catalog when it is back empty at once: it keeps the old id, in services too, until deregistered", () => {
    const { cluster, leader } = world();
    const name = BROKERS[0];
    const oldId = catalogId(cluster, leader, name);
    cluster.killMachine(name);
    cluster.startMachine(machine(name));
    cluster.advance(1_000);
    expect(
      put(cluster, name, "/consul/v1/agent/service/register", { Name: "broker", Port: 9876 }).status,
    ).toBe(200);
    cluster.advance(100_000);
    expect(catalogId(cluster, leader, name)).toBe(oldId);
    expect(consulStatus(cluster, leader, name)).toBe(1);
    expect(ask(cluster, leader, "/consul/v1/health/service/broker?passing").body).toBe("[]");
    expect(put(cluster, leader, "/consul/v1/catalog/deregister", { Node: name }).body).toBe("true");
    const ms = until(
      cluster,
      () => ask(cluster, leader, "/consul/v1/health/service/broker").body !== "[]",
      22_000,
    );
    expect(ms).toBeLessThanOrEqual(21_200);
    expect(catalogId(cluster, leader, name)).toBe(cluster.machine(name).consul?.id);
  });

  test("has its new id in the catalog at once when its failure had been noticed", () => {
    const { cluster, leader } = world();
    const name = BROKERS[0];
    cluster.killMachine(name);
    until(cluster, () => consulStatus(cluster, leader, name) === 4, 6_000);
    cluster.advance(200);
    expect(ask(cluster, leader, `/consul/v1/health/node/${name}`).body).toContain(
      "Agent not live or unreachable",
    );
    cluster.startMachine(machine(name));
    cluster.advance(400);
    expect(catalogId(cluster, leader, name)).toBe(cluster.machine(name).consul?.id);
  });
});

describe("force-leave of a living Consul server", () => {
  test("is refuted within 0.2 s; with prune it hangs and the server stays away", () => {
    const { cluster, leader, name, other } = world();
    expect(put(cluster, leader, `/consul/v1/agent/force-leave/${name}`).status).toBe(200);
    expect(consulStatus(cluster, leader, name)).toBe(1);
    const answers = askLater(cluster, leader, `/consul/v1/agent/force-leave/${other}?prune`, "PUT");
    cluster.advance(15_000);
    expect(answers).toHaveLength(0);
    cluster.advance(70_000);
    expect(consulStatus(cluster, leader, other)).toBeUndefined();
    expect(raft(cluster, "consul", leader)).toHaveLength(2);
  });

  test("is 500 for a name that is not known", () => {
    const { cluster, leader } = world();
    expect(put(cluster, leader, "/consul/v1/agent/force-leave/nobody")).toMatchObject({
      status: 500,
      body: "agent: No node found with name 'nobody'",
    });
  });

  test("a removed peer that lives is a non-voter again with the leader's next minute", () => {
    const { cluster, leader, name } = world();
    const id = cluster.machine(name).consul?.id ?? "";
    ask(cluster, leader, `/consul/v1/operator/raft/peer?id=${id}`, { method: "DELETE" });
    until(cluster, () => peer(cluster, leader, id)?.Voter === false, 61_000);
    expect(until(cluster, () => peer(cluster, leader, id)?.Voter === true, 15_000)).toBeGreaterThan(8_000);
  });
});

describe("two Consul servers at once", () => {
  test("the leader is lost for good when the second is destroyed while the first's successor does not vote", () => {
    const { cluster, leader, name, other } = world();
    put(cluster, name, "/consul/v1/agent/leave");
    cluster.advance(1_000);
    cluster.killMachine(name);
    cluster.startMachine(machine(name, { address: "10.0.1.98" }));
    cluster.advance(1_000);
    expect(raft(cluster, "consul", leader).filter(({ Voter }) => Voter)).toHaveLength(2);
    cluster.killMachine(other);
    cluster.startMachine(machine(other, { address: "10.0.1.99" }));
    expect(until(cluster, () => leaderAt(cluster, leader) === "", 2_000)).toBeLessThanOrEqual(700);
    cluster.advance(115_000);
    expect(leaderAt(cluster, leader)).toBe("");
    expect(ask(cluster, leader, "/consul/v1/kv/x")).toMatchObject({
      status: 500,
      body: "No cluster leader",
      tookMs: 7_000,
    });
    expect(ask(cluster, leader, "/consul/v1/catalog/nodes?stale").status).toBe(200);
  });

  test("nothing is lost when the second leaves in that window", () => {
    const { cluster, leader, name, other } = world();
    put(cluster, name, "/consul/v1/agent/leave");
    cluster.advance(1_000);
    cluster.killMachine(name);
    cluster.startMachine(machine(name));
    cluster.advance(1_000);
    askLater(cluster, other, "/consul/v1/agent/leave", "PUT");
    for (let second = 0; second < 20; second++) {
      cluster.advance(1_000);
      expect(leaderAt(cluster, leader)).not.toBe("");
    }
  });

  test("two that come back empty at their addresses elect the survivor", () => {
    const { cluster, leader, name, other } = world();
    cluster.killMachine(name);
    cluster.killMachine(other);
    cluster.advance(2_000);
    expect(leaderAt(cluster, leader)).toBe("");
    cluster.startMachine(machine(name));
    cluster.startMachine(machine(other));
    expect(until(cluster, () => leaderAt(cluster, leader) !== "", 2_000)).toBeCloseTo(700, -2);
  });

  test("three that come back empty start anew with an empty KV", () => {
    const { cluster } = world();
    put(cluster, CONSUL_SERVERS[0], "/consul/v1/kv/kept", "x");
    for (const name of CONSUL_SERVERS) cluster.killMachine(name);
    for (const name of CONSUL_SERVERS) cluster.startMachine(machine(name));
    cluster.advance(1_000);
    expect(ask(cluster, CONSUL_SERVERS[0], "/consul/v1/status/peers").body).toBe("[]");
    cluster.advance(5_000);
    expect(ask(cluster, CONSUL_SERVERS[0], "/consul/v1/kv/kept").status).toBe(404);
  });
});

describe("a list of Consul servers that is out of date", () => {
  test("leaves an agent that had left and restarts without any server; a reload does not help, a join does at once", () => {
    const { cluster } = world();
    const name = BROKERS[0];
    put(cluster, name, "/consul/v1/agent/leave");
    cluster.advance(1_000);
    cluster.killMachine(name);
    cluster.writeRetryJoin(name, ["10.0.9.9"]);
    cluster.startMachine(machine(name), "kept");
    cluster.advance(60_000);
    expect(ask(cluster, name, "/consul/v1/kv/x")).toMatchObject({
      status: 500,
      body: "No known Consul servers",
      tookMs: 0,
    });
    cluster.writeRetryJoin(name, [machine(CONSUL_SERVERS[0]).address]);
    expect(put(cluster, name, "/consul/v1/agent/reload").status).toBe(200);
    cluster.advance(40_000);
    expect(ask(cluster, name, "/consul/v1/status/leader").status).toBe(500);
    expect(ask(cluster, name, "/consul/v1/agent/self").body).toContain('"RetryJoinLAN":["10.0.9.9"]');
    expect(put(cluster, name, `/consul/v1/agent/join/${machine(CONSUL_SERVERS[0]).address}`).status).toBe(
      200,
    );
    expect(ask(cluster, name, "/consul/v1/status/leader").status).toBe(200);
  });

  test("does not matter to an agent that was killed and has its data", () => {
    const { cluster } = world();
    const name = BROKERS[0];
    cluster.writeRetryJoin(name, ["10.0.9.9"]);
    cluster.killMachine(name);
    cluster.startMachine(machine(name), "kept");
    cluster.advance(200);
    expect(ask(cluster, name, "/consul/v1/status/leader").status).toBe(200);
  });

  test("is found out by the servers where an empty agent is back at its old address", () => {
    const { cluster } = world();
    const name = BROKERS[0];
    cluster.killMachine(name);
    cluster.advance(10_000);
    cluster.startMachine(machine(name, { retryJoin: ["10.0.9.9"] }));
    cluster.advance(1_000);
    expect(ask(cluster, name, "/consul/v1/status/leader").status).toBe(500);
    cluster.advance(20_000);
    expect(ask(cluster, name, "/consul/v1/status/leader").status).toBe(200);
  });

  test("a file that cannot be parsed makes the reload say so, and the agent goes on", () => {
    const { cluster } = world();
    const { config } = cluster.machine(BROKERS[0]);
    config.broken = "failed to parse /etc/consul.d/rollout-servers.json: unexpected EOF";
    expect(put(cluster, BROKERS[0], "/consul/v1/agent/reload")).toMatchObject({
      status: 500,
      body: config.broken,
    });
    expect(ask(cluster, BROKERS[0], "/consul/v1/status/leader").status).toBe(200);
  });
});

describe("the leadership of Consul", () => {
  test("cannot be handed over in 1.8.7: 404 with an empty body, as for any unknown path", () => {
    const { cluster, leader } = world();
    for (const method of ["POST", "PUT", "GET"])
      expect(ask(cluster, leader, "/consul/v1/operator/raft/transfer-leader", { method })).toMatchObject({
        status: 404,
        body: "",
      });
  });

  test("can be handed over in versions that have the endpoint", () => {
    const { cluster, leader, name } = world({ consul: { transferLeader: true } });
    const id = cluster.machine(name).consul?.id ?? "";
    const answer = ask(cluster, leader, `/consul/v1/operator/raft/transfer-leader?id=${id}`, {
      method: "POST",
    });
    expect(answer).toMatchObject({ status: 200, body: '{"Success":true}' });
    expect(leadership(cluster, "consul").leader).toBe(name);
  });

  test("is refused at once through a follower that still trusts a dead leader", () => {
    const { cluster, leader, name } = world();
    cluster.killMachine(leader);
    cluster.advance(100);
    const answer = ask(cluster, name, "/consul/v1/kv/x");
    expect(answer).toMatchObject({ status: 500, tookMs: 0 });
    expect(answer.body).toContain("connection refused");
  });
});

function world(options: Parameters<typeof steadyCluster>[0] = {}) {
  const cluster = steadyCluster(options);
  const { leader, followers } = leadership(cluster, "consul");
  return { cluster, leader, name: followers[0], other: followers[1] };
}

const isRunning = (cluster: SimulatedCluster, name: string): boolean =>
  cluster.machine(name).consul?.running ?? false;

const peer = (cluster: SimulatedCluster, asked: string, id: string) =>
  raft(cluster, "consul", asked).find(({ ID }) => ID === id);

const leaderAt = (cluster: SimulatedCluster, name: string): string =>
  bodyOf(ask(cluster, name, "/consul/v1/status/leader"), z.string());

const memberCount = (cluster: SimulatedCluster, name: string): number =>
  bodyOf(ask(cluster, name, "/consul/v1/agent/members"), z.array(z.unknown())).length;

const catalogId = (cluster: SimulatedCluster, asked: string, name: string): string | undefined =>
  bodyOf(
    ask(cluster, asked, "/consul/v1/catalog/nodes"),
    z.array(z.object({ ID: z.string(), Node: z.string() })),
  ).find(({ Node }) => Node === name)?.ID;
