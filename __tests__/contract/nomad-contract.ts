import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { AnswerError, NoLeaderError } from "../../clients/http/errors.js";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { NOMAD_RIGHTS } from "../../rollout/observation/observation.js";
import { isBefore } from "../../packages/simulator/version.js";
import { rejection } from "../clients/http/local-server.js";
import type { RealEnvironment } from "../support/environment.js";
import { serviceJob } from "./service-job.js";
import { eventually, type Cluster, type Target } from "./target.js";

const nobody = "00000000-0000-0000-0000-000000000000";

/** What this program relies on in Nomad. The tests share one cluster and run in this order; the last ones take it apart. */
export function nomadContract(target: Target, environment: RealEnvironment): void {
  let cluster: Cluster;
  let nomad: NomadClient;

  const through = (...machines: readonly string[]): NomadClient => {
    const [first, ...rest] = machines.map((machine) => cluster.nomad(machine));
    if (first === undefined) throw new Error("no machine to ask");
    return new NomadClient({ endpoints: [first, ...rest], access: {} });
  };
  const records = async (name: string) => (await nomad.nodes()).filter((node) => node.Name === name);
  const idOf = async (name: string): Promise<string> => {
    const ready = (await records(name)).filter(({ Status }) => Status === "ready");
    return ready.toSorted((a, b) => b.ModifyIndex - a.ModifyIndex)[0]?.ID ?? "";
  };
  const memberOf = async (machine: string) =>
    (await nomad.members()).find(({ Name }) => Name.startsWith(`${machine}.`));
  const followers = async () => (await nomad.raftConfiguration()).filter(({ Leader }) => !Leader);
  const machineOf = (member: string): string => member.replace(/\.[^.]+$/, "");
  const running = async (id: string) =>
    (await nomad.nodeAllocations(id)).filter(
      ({ ClientStatus }) => ClientStatus === "running" || ClientStatus === "pending",
    );
  const inJob = async () =>
    (await nomad.jobAllocations("web", "default")).filter(
      ({ ClientStatus, DesiredStatus }) => ClientStatus === "running" && DesiredStatus === "run",
    );

  /** Three voters, the very members that are alive, and one may fail. */
  const whole = async (): Promise<boolean> => {
    const alive = (await nomad.members())
      .filter(({ Status }) => Status === "alive")
      .map(({ Tags }) => Tags["id"]);
    const voters = (await nomad.raftConfiguration()).filter(({ Voter }) => Voter).map(({ ID }) => ID);
    const health = await nomad.autopilotHealth();
    return (
      voters.length === 3 &&
      JSON.stringify(voters.toSorted()) === JSON.stringify(alive.toSorted()) &&
      health.FailureTolerance === 1
    );
  };

  beforeAll(async () => {
    cluster = await target.start(environment);
    nomad = through(...cluster.nomadServers);
    await eventually(cluster, "three voters and a failure tolerance of one", whole, 60);
    await eventually(
      cluster,
      "all clients ready",
      async () => (await nomad.nodes()).filter(({ Status }) => Status === "ready").length >= 2,
      60,
    );
  });

  afterAll(async () => {
    await cluster.close();
  });

  test("the members are the servers, with their region, and the leader is one of three peers", async () => {
    const names = (await nomad.members()).map(({ Name }) => Name).toSorted();
    const peers = await nomad.raftConfiguration();

    expect(names).toEqual(cluster.nomadServers.map((name) => `${name}.global`));
    expect(peers.length).toBe(3);
    expect(peers.filter(({ Leader }) => Leader)).toHaveLength(1);
  });

  test("a client is ready and eligible at once, with its meta", async () => {
    const [machine] = cluster.clients;
    const node = await nomad.node(await idOf(machine));

    expect(node).toMatchObject({
      Name: machine,
      Status: "ready",
      SchedulingEligibility: "eligible",
      Meta: { rollout_host: machine },
    });
    expect(node?.DrainStrategy ?? null).toBeNull();
  });

  test("a node says where it is in the list already, and in detail what its attributes are", async () => {
    const [machine] = cluster.clients;
    const listed = (await nomad.nodes()).find(({ Name }) => Name === machine);
    const node = await nomad.node(await idOf(machine));

    expect(listed).toMatchObject({ Datacenter: "dc1", NodeClass: "", NodePool: "default" });
    expect(node).toMatchObject({ Datacenter: "dc1", NodeClass: "", NodePool: "default" });
    expect(node?.Attributes).toMatchObject({ "kernel.name": "linux" });
    expect(node?.CSINodePlugins ?? {}).toEqual({});
    expect(await nomad.csiVolumes()).toEqual([]);
  });

  test("an agent says who it is", async () => {
    const [machine] = cluster.clients;

    expect(await through(machine).self()).toMatchObject({ config: { Region: "global" } });
  });

  test("what is not there is said not to be; but an unknown node's allocations are an empty list", async () => {
    expect(await nomad.node(nobody)).toBeUndefined();
    expect(await nomad.job("none", "default")).toBeUndefined();
    expect(await nomad.purge(nobody)).toBe(false);
    expect(await nomad.removePeer(nobody)).toBe(false);
    expect(await nomad.nodeAllocations(nobody)).toEqual([]);
  });

  test("without ACLs everything is allowed", async () => {
    expect(await nomad.rights()).toEqual(NOMAD_RIGHTS);
  });

  test("a node that has nothing to lose is drained at once, and stays ineligible", async () => {
    const id = await idOf(cluster.clients[0]);

    await nomad.drain(id, { deadline: 60 });

    await eventually(
      cluster,
      "it is drained",
      async () => (await nomad.node(id))?.DrainStrategy === null,
      10,
    );
    expect(await nomad.node(id)).toMatchObject({
      SchedulingEligibility: "ineligible",
      LastDrain: { Status: "complete" },
    });
    await nomad.setEligibility(id, "eligible");
    expect((await nomad.node(id))?.SchedulingEligibility).toBe("eligible");
  });

  test("a drain moves the work, and a node that is draining cannot be made eligible", async () => {
    await cluster.runJob(serviceJob("web", 2));
    await eventually(cluster, "the job runs", async () => (await inJob()).length === 2, 60);
    expect(await nomad.job("web", "default")).toMatchObject({
      ...{ Datacenters: ["dc1"], NodePool: "default", Version: 0, Constraints: [] },
      TaskGroups: [{ Migrate: { MaxParallel: 1 }, Constraints: [], Tasks: [{ KillTimeout: 5e9 }] }],
    });
    expect((await inJob()).map(({ JobVersion }) => JobVersion)).toEqual([0, 0]);
    const busy = (await inJob())[0]?.NodeID ?? "";

    await nomad.drain(busy, { deadline: 600 });
    const error = await rejection(nomad.setEligibility(busy, "eligible"));

    expect(error).toBeInstanceOf(AnswerError);
    expect(error.message).toContain("while it is draining");
    await eventually(
      cluster,
      "its work is elsewhere",
      async () =>
        (await nomad.node(busy))?.DrainStrategy === null &&
        (await running(busy)).length === 0 &&
        (await inJob()).length === 2,
      60,
    );
    const node = await nomad.node(busy);
    expect(node?.Events.at(-1)).toMatchObject({ Message: "Node drain complete" });
    expect(node?.Events.at(-1)?.Details).not.toHaveProperty("deadline_reached");
    await nomad.setEligibility(busy, "eligible");
  });

  test("a drain that is cancelled leaves the work, and the node ineligible unless it is said", async () => {
    const busy = (await inJob())[0]?.NodeID ?? "";

    await nomad.drain(busy, { deadline: 600 });
    await nomad.cancelDrain(busy, { markEligible: false });
    expect(await nomad.node(busy)).toMatchObject({
      SchedulingEligibility: "ineligible",
      LastDrain: { Status: "canceled" },
    });
    await nomad.cancelDrain(busy, { markEligible: true });
    expect((await nomad.node(busy))?.SchedulingEligibility).toBe("eligible");
  });

  // Before any change of the leader: a new one gives every node five minutes until it has heard from it once.
  test("a machine that was replaced has two records for a while, and the dead one is purged", async () => {
    const [machine] = cluster.clients;
    const before = await idOf(machine);

    await cluster.kill(machine);
    await cluster.startEmpty(machine);

    await eventually(cluster, "two records", async () => (await records(machine)).length === 2, 30);
    const after = (await records(machine)).find(({ ID }) => ID !== before);
    expect(after).toMatchObject({ SchedulingEligibility: "eligible" });
    await eventually(
      cluster,
      "the old one is down",
      async () => (await nomad.node(before))?.Status === "down",
      60,
    );
    expect(await nomad.purge(before)).toBe(true);
    expect(await nomad.purge(before)).toBe(false);
    expect(await nomad.node(before)).toBeUndefined();
    await nomad.systemGc();
  });

  test("a snapshot is written whole, for its owner's eyes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rollout-snapshot-"));
    const file = join(folder, "nomad.snap");

    await nomad.saveSnapshot(file);

    expect([...(await readFile(file)).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  test("leadership goes to the server that is named, to the leader without a change; before 1.7 it cannot be handed over", async () => {
    const [next] = await followers();
    if ((await nomad.members()).some(({ Tags }) => isBefore(Tags["build"] ?? "", "1.7.0"))) {
      const refused = await rejection(nomad.transferLeadership(next?.ID ?? ""));
      expect(refused).toMatchObject({ status: 404, text: "Invalid method" });
      return;
    }

    const leads = async () =>
      (await nomad.raftConfiguration()).some(({ ID, Leader }) => Leader && ID === next?.ID);

    await nomad.transferLeadership(next?.ID ?? "");
    await eventually(cluster, "it leads", leads, 10);
    await nomad.transferLeadership(next?.ID ?? "");
    expect(await leads()).toBe(true);
    expect((await rejection(nomad.transferLeadership(nobody))).message).toContain(
      "was not found in the Raft configuration",
    );
    await eventually(cluster, "all is whole", whole, 60);
  });

  test("a server that was killed is failed at last, leaves raft by itself, and its empty successor votes", async () => {
    const machine = machineOf((await followers())[0]?.Node ?? "");

    await cluster.kill(machine);

    expect(await memberOf(machine)).toMatchObject({ Status: "alive" });
    await eventually(cluster, "it is failed", async () => (await memberOf(machine))?.Status === "failed", 90);
    await eventually(
      cluster,
      "it is out of raft",
      async () => (await nomad.raftConfiguration()).length === 2,
      60,
    );
    await eventually(
      cluster,
      "two are called healthy",
      async () => (await nomad.autopilotHealth()).Healthy,
      30,
    );
    expect((await nomad.autopilotHealth()).FailureTolerance).toBe(0);
    await cluster.startEmpty(machine);
    await eventually(cluster, "all is whole", whole, 90);
  });

  test("without a leader the servers say so in their own words", async () => {
    const [one = "", two = ""] = (await followers()).map(({ Node }) => machineOf(Node));
    const last = cluster.nomadServers.find((name) => name !== one && name !== two) ?? "";

    await Promise.all([one, two].map((machine) => cluster.kill(machine)));

    await eventually(
      cluster,
      "nobody leads",
      async () => (await rejection(through(last).nodes())) instanceof NoLeaderError,
      120,
    );
    expect((await through(last).members()).length).toBe(3);
  });
}
