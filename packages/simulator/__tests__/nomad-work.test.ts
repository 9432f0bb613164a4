import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import type { SimulatedCluster } from "../cluster.js";
import {
  ask,
  askLater,
  bodyOf,
  BROKERS,
  machine,
  NOMAD_SERVERS,
  put,
  steadyCluster,
  until,
} from "./world.js";

const [A, B, C] = BROKERS;
const [SERVER] = NOMAD_SERVERS;
const SECOND = 1e9;

describe("a drain", () => {
  test("moves one allocation at a time and ends clean, with its node still ineligible", () => {
    const cluster = running(service("web", 6));
    expect(work(cluster, A)).toEqual(["running", "running"]);
    drain(cluster, A, { Deadline: 60 * SECOND });
    expect(node(cluster, A)).toMatchObject({
      DrainStrategy: { Deadline: 60 * SECOND, IgnoreSystemJobs: false },
      LastDrain: { Status: "draining", Meta: { rollout: "r1" } },
      SchedulingEligibility: "ineligible",
    });
    const healthy: number[] = [];
    const ms = until(
      cluster,
      () => {
        healthy.push(work(cluster, A).filter((status) => status === "running").length);
        return node(cluster, A).DrainStrategy === null;
      },
      20_000,
    );
    expect(ms).toBeGreaterThan(3_000);
    expect(ms).toBeLessThan(9_000);
    expect(new Set(healthy)).toEqual(new Set([2, 1, 0]));
    expect(node(cluster, A)).toMatchObject({
      LastDrain: { Status: "complete" },
      SchedulingEligibility: "ineligible",
    });
    expect(lastEvent(cluster, A)).toEqual({ Message: "Node drain complete", Details: null });
    cluster.advance(3_000);
    expect(summary(cluster, "web")).toMatchObject({ Running: 6, Queued: 0, Complete: 2 });
  });

  test("of an empty node takes 40 ms", () => {
    const cluster = steadyCluster();
    drain(cluster, A, { Deadline: 60 * SECOND });
    cluster.advance(50);
    expect(node(cluster, A)).toMatchObject({ DrainStrategy: null, LastDrain: { Status: "complete" } });
  });

  test("is complete without a deadline reached although its only allocation fits nowhere else", () => {
    const cluster = running(service("pinned", 1, { Constraints: pinnedTo(A) }));
    drain(cluster, A, { Deadline: 60 * SECOND });
    expect(until(cluster, () => node(cluster, A).DrainStrategy === null, 3_000)).toBeCloseTo(1_300, -2);
    expect(lastEvent(cluster, A)).toEqual({ Message: "Node drain complete", Details: null });
    cluster.advance(30_000);
    expect(summary(cluster, "pinned")).toMatchObject({ Running: 0, Queued: 1 });
  });

  test("of two allocations that fit nowhere else stops one, hangs, and ends by its deadline, which reads complete too", () => {
    const cluster = running(service("pinned", 2, { Constraints: pinnedTo(A) }));
    drain(cluster, A, { Deadline: 5 * SECOND });
    cluster.advance(4_000);
    expect(work(cluster, A)).toEqual(["complete", "running"]);
    const ms = 4_000 + until(cluster, () => node(cluster, A).DrainStrategy === null, 3_000);
    expect(ms).toBeGreaterThanOrEqual(6_000);
    expect(ms).toBeLessThanOrEqual(6_100);
    // The strategy is gone while work still runs.
    expect(work(cluster, A)).toEqual(["complete", "running"]);
    expect(node(cluster, A)).toMatchObject({ LastDrain: { Status: "complete" } });
    expect(lastEvent(cluster, A)).toEqual({
      Message: "Node drain complete",
      Details: { deadline_reached: "true" },
    });
    cluster.advance(200);
    expect(work(cluster, A)).toEqual(["complete", "complete"]);
    expect(summary(cluster, "pinned")).toMatchObject({ Queued: 2 });
  });

  test("ends by its deadline when the replacement fails wherever it is put", () => {
    const cluster = running(service("picky", 2, { Meta: { sim_runs_only_on: A }, Constraints: [] }), {
      eligible: [A],
    });
    for (const name of [B, C]) setEligible(cluster, name, "eligible");
    drain(cluster, A, { Deadline: 5 * SECOND });
    until(cluster, () => node(cluster, A).DrainStrategy === null, 7_000);
    expect(lastEvent(cluster, A).Details).toEqual({ deadline_reached: "true" });
    cluster.advance(1_000);
    expect(summary(cluster, "picky")).toMatchObject({ Running: 0, Failed: 2 });
  });

  test("leaves a task that ignores TERM running until its kill timeout", () => {
    const cluster = running(service("stubborn", 3, { Meta: { sim_ignores_term: "true" } }, 20));
    drain(cluster, A, { Deadline: 5 * SECOND });
    until(cluster, () => node(cluster, A).DrainStrategy === null, 7_000);
    expect(work(cluster, A)).toEqual(["running"]);
    const ms = until(cluster, () => work(cluster, A)[0] === "complete", 20_000);
    expect(ms).toBeCloseTo(15_000, -3);
  });

  test("that is forced takes 2 s and carries deadline_reached too", () => {
    const cluster = running(service("web", 6));
    drain(cluster, A, { Deadline: -1 });
    expect(until(cluster, () => node(cluster, A).DrainStrategy === null, 4_000)).toBeCloseTo(2_100, -2);
    expect(lastEvent(cluster, A).Details).toEqual({ deadline_reached: "true" });
  });

  test("hangs without a deadline; a repetition moves it, keeps its start and replaces its meta", () => {
    const cluster = running(service("pinned", 2, { Constraints: pinnedTo(A) }));
    drain(cluster, A, { Deadline: 0 });
    const before = node(cluster, A).DrainStrategy;
    cluster.advance(60_000);
    expect(node(cluster, A).DrainStrategy).toMatchObject({ ForceDeadline: null });
    drain(cluster, A, { Deadline: 2 * SECOND }, null);
    expect(node(cluster, A)).toMatchObject({
      DrainStrategy: { StartedAt: before?.StartedAt },
      LastDrain: { Meta: null },
    });
    expect(lastEvent(cluster, A).Message).toBe("Node drain strategy updated");
    expect(until(cluster, () => node(cluster, A).DrainStrategy === null, 4_000)).toBeCloseTo(3_100, -2);
  });

  test("that is canceled reads so and leaves the node ineligible unless told otherwise", () => {
    const cluster = running(service("web", 3));
    drain(cluster, A, { Deadline: 60 * SECOND });
    expect(setEligible(cluster, A, "eligible")).toMatchObject({
      status: 500,
      body: expect.stringContaining(
        "can not set node's scheduling eligibility to eligible while it is draining",
      ),
    });
    drain(cluster, A, null, null);
    expect(node(cluster, A)).toMatchObject({
      DrainStrategy: null,
      LastDrain: { Status: "canceled", Meta: null },
      SchedulingEligibility: "ineligible",
    });
    expect(lastEvent(cluster, A).Message).toBe("Node drain disabled");
    put(cluster, SERVER, `/nomad/v1/node/${idOf(cluster, A)}/drain`, { DrainSpec: null, MarkEligible: true });
    expect(node(cluster, A).SchedulingEligibility).toBe("eligible");
  });

  test.each([false, true])("stops system work last, unless it is ignored: %s", (ignored) => {
    const cluster = running({ ...service("sys", 1), Type: "system" });
    cluster.runJob(service("web", 3));
    cluster.advance(5_000);
    drain(cluster, A, { Deadline: 60 * SECOND, IgnoreSystemJobs: ignored });
    until(cluster, () => node(cluster, A).DrainStrategy === null, 8_000);
    expect(work(cluster, A)).toEqual(["running", "complete"]);
    cluster.advance(200);
    expect(work(cluster, A)).toEqual([ignored ? "running" : "complete", "complete"]);
    if (ignored) return;
    setEligible(cluster, A, "eligible");
    cluster.advance(3_000);
    expect(work(cluster, A)).toContain("running");
  });

  test("links what it moves to what follows, and not what waits for its place", () => {
    const links = (job: Record<string, unknown>): string[] => {
      const cluster = running(job);
      drain(cluster, A, { Deadline: 10 * SECOND });
      until(cluster, () => node(cluster, A).DrainStrategy === null, 40_000);
      setEligible(cluster, A, "eligible");
      cluster.advance(3_000);
      const all = [...cluster.nomad.scheduler.allocations.values()];
      expect(all.map(({ client }) => client).sort()).toEqual(["complete", "running"]);
      return all.map(({ previous }) => previous).filter((previous) => previous !== "");
    };
    expect(links(service("free", 1))).toHaveLength(1);
    expect(links(service("pinned", 1, { Constraints: pinnedTo(A) }))).toEqual([]);
  });

  test("waits for batch work, which is not moved", () => {
    const cluster = running({ ...service("bat", 3, { Meta: { sim_runs_for: "12s" } }), Type: "batch" });
    drain(cluster, A, { Deadline: 60 * SECOND });
    cluster.advance(5_000);
    expect(work(cluster, A)).toEqual(["running"]);
    until(cluster, () => node(cluster, A).DrainStrategy === null, 10_000);
    expect(lastEvent(cluster, A).Details).toBeNull();
    expect(summary(cluster, "bat")).toMatchObject({ Complete: 3, Queued: 0 });
  });

  test("puts work on a node of its group that is not yet marked ineligible, and moves it again", () => {
    const moves = (marked: boolean): number => {
      const cluster = running(service("web", 6));
      if (marked) for (const name of [A, B]) setEligible(cluster, name, "ineligible");
      for (const name of [A, B]) {
        drain(cluster, name, { Deadline: 60 * SECOND });
        until(cluster, () => node(cluster, name).DrainStrategy === null, 40_000);
        cluster.advance(3_000);
      }
      return cluster.nomad.scheduler.allocations.size - 6;
    };
    expect(moves(true)).toBe(4);
    expect(moves(false)).toBe(5);
  });

  test("never ends where that fault is switched on", () => {
    const cluster = running(service("web", 3));
    cluster.nomad.drainer.endless.add(A);
    drain(cluster, A, { Deadline: 5 * SECOND });
    cluster.advance(600_000);
    expect(node(cluster, A).DrainStrategy).not.toBeNull();
    expect(work(cluster, A)).toEqual(["running"]);
  });
});

describe("a Nomad client that goes", () => {
  test("is down 20 to 29 s after its end, and its work is lost and placed elsewhere", () => {
    const cluster = running(service("web", 3));
    const id = idOf(cluster, A);
    cluster.killMachine(A);
    const ms = until(cluster, () => record(cluster, id)?.Status === "down", 40_000);
    expect(ms).toBeGreaterThan(20_000);
    expect(ms).toBeLessThan(29_000);
    expect(record(cluster, id)?.Events.at(-1)?.Message).toBe("Node heartbeat missed");
    cluster.advance(3_000);
    expect(summary(cluster, "web")).toMatchObject({ Running: 3, Lost: 1 });
  });

  test("and comes back empty makes a second record under its name: new id, ready, eligible, while the old reads ready too", () => {
    const cluster = steadyCluster();
    const oldId = idOf(cluster, A);
    setEligible(cluster, A, "ineligible");
    cluster.killMachine(A);
    cluster.startMachine(machine(A));
    cluster.advance(400);
    const both = named(cluster, A);
    expect(both).toHaveLength(2);
    expect(both.find(({ ID }) => ID === oldId)).toMatchObject({
      Status: "ready",
      SchedulingEligibility: "ineligible",
    });
    expect(both.find(({ ID }) => ID !== oldId)).toMatchObject({
      Status: "ready",
      SchedulingEligibility: "eligible",
      LastDrain: null,
    });
    until(cluster, () => record(cluster, oldId)?.Status === "down", 29_000);
    expect(put(cluster, SERVER, `/nomad/v1/node/${oldId}/purge`)).toMatchObject({ status: 200 });
    expect(ask(cluster, SERVER, `/nomad/v1/node/${oldId}`)).toMatchObject({
      status: 404,
      body: "node not found",
    });
    const again = put(cluster, SERVER, `/nomad/v1/node/${oldId}/purge`);
    expect(again.status).toBe(500);
    expect(again.body).toContain("node not found");
  });

  test("and comes back with its data keeps its id, its ineligibility and its last drain", () => {
    const cluster = steadyCluster();
    const id = idOf(cluster, A);
    drain(cluster, A, { Deadline: 60 * SECOND });
    cluster.advance(100);
    cluster.killMachine(A);
    cluster.startMachine(machine(A), "kept");
    cluster.advance(40_000);
    expect(named(cluster, A)).toHaveLength(1);
    expect(record(cluster, id)).toMatchObject({
      Status: "ready",
      SchedulingEligibility: "ineligible",
      LastDrain: { Status: "complete" },
    });
  });

  test("is purged alive: its work is lost at once and it registers again with its id, eligible", () => {
    const cluster = running(service("web", 3));
    const id = idOf(cluster, A);
    setEligible(cluster, A, "ineligible");
    put(cluster, SERVER, `/nomad/v1/node/${id}/purge`);
    expect(record(cluster, id)).toBeUndefined();
    expect(summary(cluster, "web")).toMatchObject({ Lost: 1 });
    cluster.advance(300);
    expect(record(cluster, id)).toMatchObject({ Status: "ready", SchedulingEligibility: "eligible" });
  });

  test("vanishes by a system gc once it is down", () => {
    const cluster = steadyCluster();
    const id = idOf(cluster, A);
    cluster.killMachine(A);
    until(cluster, () => record(cluster, id)?.Status === "down", 40_000);
    expect(put(cluster, SERVER, "/nomad/v1/system/gc")).toMatchObject({ status: 200, body: "" });
    cluster.advance(100);
    expect(record(cluster, id)).toBeUndefined();
  });

  test("never comes back where that fault is switched on", () => {
    const cluster = steadyCluster();
    cluster.neverBack.add(A);
    cluster.killMachine(A);
    cluster.startMachine(machine(A));
    cluster.advance(60_000);
    expect(named(cluster, A).map(({ Status }) => Status)).toEqual(["down"]);
  });
});

describe("what Nomad answers", () => {
  test("a blocking query comes back at a change, or a little after its wait", () => {
    const cluster = steadyCluster();
    const path = `/nomad/v1/node/${idOf(cluster, A)}`;
    const index = ask(cluster, SERVER, path).headers["X-Nomad-Index"] ?? "";
    const waited = ask(cluster, SERVER, `${path}?index=${index}&wait=2s`);
    expect(waited.tookMs).toBeGreaterThanOrEqual(2_000);
    expect(waited.tookMs).toBeLessThan(2_130);
    expect(waited.headers["X-Nomad-Index"]).toBe(index);
    const pending = askLater(cluster, SERVER, `${path}?index=${index}&wait=60s`);
    cluster.advance(1_000);
    expect(pending).toHaveLength(0);
    setEligible(cluster, A, "ineligible");
    expect(pending[0]?.body).toContain('"SchedulingEligibility":"ineligible"');
    expect(ask(cluster, SERVER, "/nomad/v1/nodes?index=1&wait=2s").tookMs).toBe(0);
    expect(ask(cluster, SERVER, "/nomad/v1/nodes?index=999999&wait=2s").tookMs).toBeGreaterThanOrEqual(2_000);
    expect(ask(cluster, SERVER, "/nomad/v1/nodes?index=15&wait=bad")).toMatchObject({
      status: 400,
      body: "Invalid wait time",
    });
    expect(ask(cluster, SERVER, "/nomad/v1/nodes?index=x")).toMatchObject({
      status: 400,
      body: "Invalid index",
    });
  });

  test("eligibility that does not change has index 0; a change moves the node's", () => {
    const cluster = steadyCluster();
    expect(setEligible(cluster, A, "eligible").body).toBe(
      '{"EvalCreateIndex":0,"EvalIDs":null,"Index":0,"NodeModifyIndex":0}',
    );
    expect(setEligible(cluster, A, "ineligible").body).not.toContain('"Index":0,');
  });

  test("an unknown node has no allocations, and the answer is 200", () => {
    const cluster = steadyCluster();
    const unknown = "00000000-0000-0000-0000-000000000000";
    expect(ask(cluster, SERVER, `/nomad/v1/node/${unknown}/allocations`)).toMatchObject({
      status: 200,
      body: "[]",
    });
    expect(ask(cluster, SERVER, `/nomad/v1/node/${unknown}`).status).toBe(404);
    expect(ask(cluster, A, `/nomad/v1/node/${unknown}/drain`, { method: "PUT", body: "{}" })).toMatchObject({
      status: 500,
      body: "rpc error: rpc error: node not found",
    });
  });

  test.each([
    ["GET", "/v1/node/xyz", "", 500],
    ["GET", "/v1/nodes?prefix=abc", "", 500],
    ["GET", "/v1/nodes?filter=Name+==", "", 400],
    ["DELETE", "/v1/nodes", "", 405],
    ["PUT", "/v1/operator/autopilot/health", "", 404],
    ["GET", "/v1/system/gc", "", 405],
    ["PUT", "/v1/agent/leave", "", 404],
    ["GET", "/v1/nope", "", 404],
    ["GET", "/nope", "", 404],
    ["PUT", "/v1/operator/raft/transfer-leadership", "", 400],
    ["PUT", "/v1/operator/raft/transfer-leadership?id=xyz", "", 400],
    ["DELETE", "/v1/operator/raft/peer?address=10.0.2.1:4647", "", 400],
    ["PUT", "/v1/agent/force-leave", "", 400],
    ["PUT", "/v1/agent/force-leave?node=nobody.global", "", 200],
  ])("%s %s answers as the real agent does", (method, path, body, status) => {
    const cluster = steadyCluster();
    expect(ask(cluster, SERVER, `/nomad${path}`, { method, body }).status).toBe(status);
  });

  test.each([
    ["", "Request body is empty"],
    ['{"DrainSpec":', "unexpected EOF"],
    ["[]", "json: cannot unmarshal array into Go value of type api.NodeUpdateDrainRequest"],
  ])("a drain with the body %j is 400", (body, message) => {
    const cluster = steadyCluster();
    const path = `/nomad/v1/node/${idOf(cluster, A)}/drain`;
    expect(ask(cluster, SERVER, path, { method: "PUT", body })).toMatchObject({ status: 400, body: message });
  });
});

const nodeSchema = z.object({
  ID: z.string(),
  Name: z.string(),
  Status: z.string(),
  SchedulingEligibility: z.string(),
  DrainStrategy: z
    .object({
      Deadline: z.number(),
      IgnoreSystemJobs: z.boolean(),
      StartedAt: z.string(),
      ForceDeadline: z.string().nullable(),
    })
    .nullable(),
  LastDrain: z.object({ Status: z.string(), Meta: z.record(z.string(), z.string()).nullable() }).nullable(),
  Events: z.array(z.object({ Message: z.string(), Details: z.record(z.string(), z.string()).nullable() })),
});

/** A service job that takes 2 s to be healthy and is moved one at a time. */
function service(id: string, count: number, more: object = {}, killTimeout = 5) {
  return {
    ID: id,
    Type: "service",
    TaskGroups: [
      {
        Name: "g",
        Count: count,
        Migrate: { MaxParallel: 1, MinHealthyTime: 2 * SECOND },
        Tasks: [{ Name: "t", KillTimeout: killTimeout * SECOND, Resources: { CPU: 20, MemoryMB: 20 } }],
      },
    ],
    ...more,
  };
}

const pinnedTo = (name: string) => [{ LTarget: "${node.unique.name}", Operand: "=", RTarget: name }];

function running(
  job: object,
  { eligible = [A, B, C] }: { eligible?: readonly string[] } = {},
): SimulatedCluster {
  const cluster = steadyCluster();
  for (const name of BROKERS) if (!eligible.includes(name)) setEligible(cluster, name, "ineligible");
  expect(put(cluster, SERVER, "/nomad/v1/jobs", { Job: job }).status).toBe(200);
  cluster.advance(5_000);
  return cluster;
}

/** The id of the record that was made last under a name. */
const idOf = (cluster: SimulatedCluster, name: string): string => named(cluster, name).at(-1)?.ID ?? "";

const named = (cluster: SimulatedCluster, name: string) =>
  bodyOf(
    ask(cluster, SERVER, `/nomad/v1/nodes?filter=Name==%22${name}%22`),
    z.array(nodeSchema.omit({ DrainStrategy: true, Events: true })),
  );

function record(cluster: SimulatedCluster, id: string) {
  const answer = ask(cluster, SERVER, `/nomad/v1/node/${id}`);
  return answer.status === 404 ? undefined : bodyOf(answer, nodeSchema);
}

const node = (cluster: SimulatedCluster, name: string) =>
  bodyOf(ask(cluster, SERVER, `/nomad/v1/node/${idOf(cluster, name)}`), nodeSchema);

function lastEvent(cluster: SimulatedCluster, name: string) {
  const event = node(cluster, name).Events.at(-1);
  if (!event) throw new Error("the node has no event");
  return event;
}

function drain(
  cluster: SimulatedCluster,
  name: string,
  spec: object | null,
  meta: object | null = { rollout: "r1" },
): void {
  const path = `/nomad/v1/node/${idOf(cluster, name)}/drain`;
  const answer = put(cluster, SERVER, path, { DrainSpec: spec, MarkEligible: false, Meta: meta });
  expect(answer.status).toBe(200);
}

const setEligible = (cluster: SimulatedCluster, name: string, eligibility: string) =>
  put(cluster, SERVER, `/nomad/v1/node/${idOf(cluster, name)}/eligibility`, { Eligibility: eligibility });

/** The client statuses of a node's allocations, the oldest first. */
const work = (cluster: SimulatedCluster, name: string): string[] =>
  bodyOf(
    ask(cluster, SERVER, `/nomad/v1/node/${idOf(cluster, name)}/allocations`),
    z.array(z.object({ ClientStatus: z.string() })),
  ).map(({ ClientStatus }) => ClientStatus);

const summary = (cluster: SimulatedCluster, job: string): Record<string, number> =>
  bodyOf(
    ask(cluster, SERVER, `/nomad/v1/job/${job}/summary`),
    z.object({ Summary: z.object({ g: z.record(z.string(), z.number()) }) }),
  ).Summary.g;
