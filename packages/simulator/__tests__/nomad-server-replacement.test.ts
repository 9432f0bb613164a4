import { describe, expect, test } from "@jest/globals";
import type { SimulatedCluster } from "../cluster.js";
import {
  ask,
  autopilot,
  leadership,
  machine,
  nomadStatus,
  put,
  raft,
  steadyCluster,
  until,
} from "./world.js";

/** The table "Replacing a server that keeps its name" of the recordings, order by order; times are from the new start. */
describe("a Nomad server that is replaced under its name and address", () => {
  test("votes within 11 to 20 s when its peer was removed by autopilot before it started", () => {
    const world = stopped();
    const failedMs = until(world.cluster, () => world.status() === "failed", 60_000);
    expect(failedMs).toBeGreaterThan(35_000);
    expect(failedMs).toBeLessThan(46_000);
    expect(until(world.cluster, () => world.peers() === 2, 15_000)).toBeLessThanOrEqual(10_500);
    expectQuickVote(world);
  });

  test("votes within 11 to 20 s after a force-leave without prune of a failed member", () => {
    const world = stopped();
    until(world.cluster, () => world.status() === "failed" && world.peers() === 2, 60_000);
    put(world.cluster, world.asked, `/nomad/v1/agent/force-leave?node=${world.name}.global`);
    expect(world.status()).toBe("left");
    expectQuickVote(world);
  });

  test("votes within 11 to 20 s when its peer was removed at once and its member had failed", () => {
    const world = stopped();
    expect(world.removePeer().status).toBe(200);
    until(world.cluster, () => world.status() === "failed", 60_000);
    expectQuickVote(world);
  });

  test("votes within 11 to 20 s where dead servers are not cleaned up, and autopilot says 429 until the peer is removed", () => {
    const world = stopped({ nomad: { cleanupDeadServers: false } });
    world.cluster.advance(60_000);
    expect(autopilot(world.cluster, "nomad", world.asked)).toMatchObject({ status: 429, Healthy: false });
    expect(world.peers()).toBe(3);
    world.removePeer();
    expect(autopilotAfterALook(world)).toMatchObject({ status: 200, Healthy: true, FailureTolerance: 0 });
    expectQuickVote(world);
  });

  test("votes within 11 to 20 s after a graceful leave, which takes 3 s", () => {
    const cluster = steadyCluster({}, { leaveOnInterrupt: true });
    const { leader, followers } = leadership(cluster, "nomad");
    const name = followers[0];
    cluster.stopAgent(name, "nomad");
    expect(until(cluster, () => !isRunning(cluster, name), 10_000)).toBeCloseTo(3_100, -2);
    const world = worldOf(cluster, name, leader);
    expect(world.status()).toBe("left");
    expect(world.peers()).toBe(2);
    expectQuickVote(world);
  });

  test("waits for the leader's minute when it starts at once, and its old id is cleaned up meanwhile", () => {
    const world = stopped();
    world.cluster.killMachine(world.name);
    const { name } = world;
    const oldId = world.oldId;
    world.start();
    until(world.cluster, () => !world.ids().includes(oldId), 12_000);
    expect(world.isPeer()).toBe(false);
    const inMs = until(world.cluster, () => world.isPeer(), 65_000);
    expect(inMs).toBeGreaterThan(10_000);
    expect(until(world.cluster, () => world.votes(), 25_000)).toBeGreaterThan(9_000);
    expect(nomadStatus(world.cluster, world.asked, name)).toBe("alive");
  });

  test("waits for the leader's minute when its peer was removed at once and it starts 5 s later", () => {
    const world = stopped();
    world.removePeer();
    world.cluster.advance(5_000);
    world.start();
    const inMs = until(world.cluster, () => world.isPeer(), 65_000);
    expect(inMs).toBeGreaterThan(5_000);
    until(world.cluster, () => world.votes(), 25_000);
  });

  test.each([
    [
      "a force-leave with prune after autopilot's own removal",
      (world: World) => {
        until(world.cluster, () => world.status() === "failed" && world.peers() === 2, 60_000);
        world.forceLeave("&prune=true");
      },
    ],
    [
      "a removed peer and a force-leave without prune while it still looked alive",
      (world: World) => {
        world.removePeer();
        world.forceLeave("");
      },
    ],
    [
      "a force-leave with prune and 310 s of patience",
      (world: World) => {
        until(world.cluster, () => world.status() === "failed" && world.peers() === 2, 60_000);
        world.forceLeave("&prune=true");
        world.cluster.advance(310_000);
      },
    ],
  ])("never votes after %s: each minute it is added and removed again", (_order, leave) => {
    const world = stopped();
    leave(world);
    expect(world.status()).toBe(_order.includes("without") ? "left" : undefined);
    world.start();
    const seen: string[] = [];
    const codes = new Set<number>();
    for (let second = 0; second < 150; second++) {
      world.cluster.advance(1_000);
      const now = world.isPeer() ? "in" : "out";
      if (seen.at(-1) !== now) seen.push(now);
      codes.add(autopilot(world.cluster, "nomad", world.asked).status);
      expect(world.votes()).toBe(false);
    }
    expect(seen.slice(0, 5)).toEqual(["out", "in", "out", "in", "out"]);
    expect([...codes].sort()).toEqual([200, 429]);
    expect(world.status()).toBe("alive");
  });

  test("costs the quorum, after a force-leave with prune, when the next server stops", () => {
    const world = flapping();
    const other = leadership(world.cluster, "nomad").followers.find((name) => name !== world.name) ?? "";
    world.cluster.advance(11_000);
    world.cluster.killAgent(other, "nomad");
    world.cluster.advance(10_000);
    const { status, body, tookMs } = ask(world.cluster, world.asked, "/nomad/v1/nodes");
    expect({ status, body }).toEqual({ status: 500, body: "No cluster leader" });
    expect(tookMs).toBeCloseTo(5_100, -2);
  });

  test("is healed by stopping it until its member has failed and starting it with its data", () => {
    const world = flapping();
    world.cluster.killAgent(world.name, "nomad");
    until(world.cluster, () => world.status() === "failed", 60_000);
    world.cluster.startAgent(world.name, "nomad");
    const ms = until(world.cluster, () => world.votes(), 25_000);
    expect(ms).toBeGreaterThan(10_000);
    expect(ms).toBeLessThan(21_000);
  });

  test("is healed by a quick restart with its data at the leader's next minute", () => {
    const world = flapping();
    world.cluster.killAgent(world.name, "nomad");
    world.cluster.advance(1_000);
    world.cluster.startAgent(world.name, "nomad");
    expect(until(world.cluster, () => world.votes(), 85_000)).toBeGreaterThan(10_000);
  });

  test("enters nobody's member list after a removed peer and a force-leave with prune while it looked alive", () => {
    const world = stopped();
    world.removePeer();
    expect(world.forceLeave("&prune=true").tookMs).toBeCloseTo(6_500, -2);
    world.start();
    world.cluster.advance(150_000);
    expect(world.status()).toBeUndefined();
    world.cluster.killAgent(world.name, "nomad");
    world.cluster.startAgent(world.name, "nomad");
    world.cluster.advance(80_000);
    expect(world.status()).toBeUndefined();
    expect(world.peers()).toBe(2);
  });

  test("gets in under a new name whatever was pruned", () => {
    const world = stopped();
    until(world.cluster, () => world.status() === "failed" && world.peers() === 2, 60_000);
    world.forceLeave("&prune=true");
    world.cluster.startMachine(machine("nomad-server-9-0", { address: "10.0.2.10" }));
    const ms = until(
      world.cluster,
      () => raft(world.cluster, "nomad", world.asked).filter(({ Voter }) => Voter).length === 3,
      25_000,
    );
    expect(ms).toBeLessThan(21_000);
  });

  test("changes nothing when it restarts with its data after 3 s", () => {
    const world = stopped();
    world.cluster.advance(3_000);
    world.cluster.startAgent(world.name, "nomad");
    for (let second = 0; second < 60; second++) {
      world.cluster.advance(1_000);
      expect(autopilot(world.cluster, "nomad", world.asked)).toMatchObject({
        status: 200,
        FailureTolerance: 1,
      });
    }
  });

  test("answers a stale read with 404 and index 0 while it is new and empty, and holds others for 5 s", () => {
    const world = stopped();
    world.start();
    world.cluster.advance(200);
    const stale = ask(world.cluster, world.name, "/nomad/v1/job/web?stale");
    expect(stale).toMatchObject({
      status: 404,
      body: "job not found",
      headers: { "X-Nomad-Index": "0", "X-Nomad-KnownLeader": "false" },
    });
    expect(ask(world.cluster, world.name, "/nomad/v1/nodes?stale").body).toBe("[]");
    expect(ask(world.cluster, world.name, "/nomad/v1/nodes")).toMatchObject({
      status: 500,
      body: "No cluster leader",
    });
  });
});

interface World {
  readonly cluster: SimulatedCluster;
  readonly name: string;
  readonly asked: string;
  readonly oldId: string;
  readonly status: () => string | undefined;
  readonly peers: () => number;
  readonly ids: () => string[];
  readonly isPeer: () => boolean;
  readonly votes: () => boolean;
  readonly start: () => void;
  readonly removePeer: () => ReturnType<typeof ask>;
  readonly forceLeave: (more: string) => ReturnType<typeof ask>;
}

const isRunning = (cluster: SimulatedCluster, name: string): boolean =>
  cluster.machine(name).nomad?.running ?? false;

function worldOf(cluster: SimulatedCluster, name: string, asked: string): World {
  const oldId = cluster.machine(name).nomad?.id ?? "";
  const own = () =>
    raft(cluster, "nomad", asked).find(({ ID }) => ID === cluster.machine(name).nomad?.id && ID !== oldId);
  return {
    cluster,
    name,
    asked,
    oldId,
    status: () => nomadStatus(cluster, asked, name),
    peers: () => raft(cluster, "nomad", asked).length,
    ids: () => raft(cluster, "nomad", asked).map(({ ID }) => ID),
    isPeer: () => own() !== undefined,
    votes: () => own()?.Voter ?? false,
    start: () => {
      cluster.killMachine(name);
      cluster.startMachine(machine(name));
    },
    removePeer: () => ask(cluster, asked, `/nomad/v1/operator/raft/peer?id=${oldId}`, { method: "DELETE" }),
    forceLeave: (more) => put(cluster, asked, `/nomad/v1/agent/force-leave?node=${name}.global${more}`),
  };
}

/** A cluster whose first follower has just been stopped without a leave. */
function stopped(options: Parameters<typeof steadyCluster>[0] = {}): World {
  const cluster = steadyCluster(options);
  const { leader, followers } = leadership(cluster, "nomad");
  cluster.stopAgent(followers[0], "nomad");
  until(cluster, () => !isRunning(cluster, followers[0]), 1_000);
  return worldOf(cluster, followers[0], leader);
}

function flapping(): World {
  const world = stopped();
  until(world.cluster, () => world.status() === "failed" && world.peers() === 2, 60_000);
  world.forceLeave("&prune=true");
  world.start();
  world.cluster.advance(70_000);
  expect(world.votes()).toBe(false);
  return world;
}

function expectQuickVote(world: World): void {
  world.start();
  expect(until(world.cluster, world.isPeer, 2_000)).toBeLessThan(1_000);
  const votedMs = until(world.cluster, world.votes, 25_000);
  expect(votedMs).toBeGreaterThan(9_000);
  expect(votedMs).toBeLessThan(20_500);
  // Raft knows it first: autopilot's answer is up to 2 s old.
  const seenMs = until(
    world.cluster,
    () => autopilot(world.cluster, "nomad", world.asked).FailureTolerance === 1,
    3_000,
  );
  expect(seenMs).toBeGreaterThan(1_000);
}

function autopilotAfterALook(world: World) {
  world.cluster.advance(2_100);
  return autopilot(world.cluster, "nomad", world.asked);
}
