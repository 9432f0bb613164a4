import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ConsulAgent } from "../../clients/consul/consul-agent.js";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import { ConsulKv } from "../../clients/consul/consul-kv.js";
import { WrongAgentError } from "../../clients/consul/errors.js";
import { AnswerError, NoLeaderError } from "../../clients/http/errors.js";
import { rejection } from "../clients/http/local-server.js";
import type { RealEnvironment } from "../support/environment.js";
import { eventually, type Cluster, type Target } from "./target.js";

/** What this program relies on in Consul. The tests share one cluster and run in this order; the last ones take it apart. */
export function consulContract(target: Target, environment: RealEnvironment): void {
  let cluster: Cluster;
  let consul: ConsulClient;
  let kv: ConsulKv;

  const agent = (machine: string) => new ConsulAgent(cluster.consul(machine));
  const through = (machine: string) => new ConsulClient({ endpoints: [cluster.consul(machine)], access: {} });
  const idOf = async (machine: string) => (await agent(machine).self()).Config.NodeID;
  const statusOf = async (machine: string) =>
    (await consul.members()).find(({ Name }) => Name === machine)?.Status;
  const nodeOf = async (machine: string) => (await consul.nodes()).find(({ Node }) => Node === machine);

  /** Three voters of these very ids, and one may fail. */
  const whole = async (): Promise<boolean> => {
    const ids = await Promise.all(cluster.consulServers.map(idOf));
    const raft = await consul.raftConfiguration();
    const voters = raft.filter(({ Voter }) => Voter).map(({ ID }) => ID);
    const health = await consul.autopilotHealth();
    return (
      JSON.stringify(voters.toSorted()) === JSON.stringify(ids.toSorted()) &&
      health.FailureTolerance === 1 &&
      JSON.stringify(health.Servers.map(({ ID }) => ID).toSorted()) === JSON.stringify(ids.toSorted())
    );
  };

  const followers = async (): Promise<string[]> => {
    const raft = await consul.raftConfiguration();
    return raft.filter(({ Leader }) => !Leader).map(({ Node }) => Node);
  };

  const follower = async (): Promise<string> => (await followers())[0] ?? "";

  beforeAll(async () => {
    cluster = await target.start(environment);
    const [first, second, third] = cluster.consulServers.map((machine) => cluster.consul(machine));
    if (first === undefined || second === undefined || third === undefined) throw new Error("three servers");
    const settings = { endpoints: [first, second, third], access: {} } as const;
    consul = new ConsulClient(settings);
    kv = new ConsulKv(settings);
    await eventually(cluster, "three voters and a failure tolerance of one", whole, 60);
    await eventually(
      cluster,
      "all machines in the catalog",
      async () =>
        (await consul.nodes()).length ===
        cluster.consulServers.length + cluster.clients.length + cluster.nomadServers.length,
      60,
    );
  });

  afterAll(async () => {
    await cluster.close();
  });

  test("members and nodes are the machines, under the ids that their own agents name", async () => {
    const [server] = cluster.consulServers;
    const self = await agent(server).self();
    const members = await consul.members();
    const nodes = await consul.nodes();

    expect(self.Config).toMatchObject({ NodeName: server });
    expect(members.map(({ Name }) => Name).sort()).toEqual(nodes.map(({ Node }) => Node).sort());
    expect(members.every(({ Status }) => Status === "alive")).toBe(true);
    expect(members.find(({ Name }) => Name === server)?.Tags).toMatchObject({
      id: self.Config.NodeID,
      role: "consul",
    });
    expect(nodes.find(({ Node }) => Node === server)).toMatchObject({
      ID: self.Config.NodeID,
      Meta: { rollout_host: server, rollout_pool: "consul-server" },
    });
  });

  test("the leader is one of three peers", async () => {
    const peers = await consul.raftConfiguration();

    expect(peers.length).toBe(3);
    expect(peers.filter(({ Leader }) => Leader).map(({ Address }) => Address)).toEqual([
      await consul.leader(),
    ]);
  });

  test("a machine that is not there has no check", async () => {
    expect(await consul.nodeHealth("nobody")).toEqual([]);
  });

  test("the checks of all nodes and services are there, and a filter leaves out the others", async () => {
    const [machine, other] = cluster.clients;
    const asked = async (filter?: string): Promise<string[]> =>
      (await consul.checks(filter)).map(({ Node, CheckID }) => `${Node} ${CheckID}`).sort();

    const all = await asked();

    for (const name of [...cluster.consulServers, machine, other])
      expect(all).toContain(`${name} serfHealth`);
    expect(await asked(`Node matches "^${machine.replace(/-0$/, "")}-[0-9]+$"`)).toEqual(
      all.filter((check) => check.startsWith(`${machine} `)),
    );
    expect(await asked('Node matches "^nobody-[0-9]+$"')).toEqual([]);
  });

  test("without ACLs everybody may do all, and no token is anything", async () => {
    expect(await consul.authorizations([{ resource: "agent", access: "write", segment: "nobody" }])).toBe(
      "no ACLs",
    );
    expect(await consul.tokenSelf()).toBeUndefined();
  });

  test("a service without a port has port 0, also where newer versions leave it out", async () => {
    const [machine] = cluster.clients;
    const { url } = cluster.consul(machine);
    const body = JSON.stringify({ Name: "portless" });
    await fetch(`${url}/v1/agent/service/register`, { method: "PUT", body });

    await eventually(
      cluster,
      "it is there",
      async () => (await consul.passingInstances("portless")).length === 1,
      30,
    );
    expect((await consul.passingInstances("portless"))[0]?.Service.Port).toBe(0);
    await fetch(`${url}/v1/agent/service/deregister/portless`, { method: "PUT" });
  });

  test("what is gone already is said to be, and is no error", async () => {
    expect(await consul.forceLeave("nobody")).toBe(false);
    expect(await consul.removePeer("00000000-0000-0000-0000-000000000000")).toBe(false);
    expect(await kv.get(`contract/${randomUUID()}`)).toBeUndefined();
  });

  test("a key is read as it was written, alone and below its prefix", async () => {
    const key = `contract/${randomUUID()}`;

    expect(await kv.put(key, "one")).toBe(true);
    expect(await kv.get(key)).toMatchObject({ Key: key, Value: "one" });
    expect(await kv.put(key, "two")).toBe(true);
    expect((await kv.get(key))?.Value).toBe("two");
    await kv.put(`${key}/below`, "three");
    expect((await kv.list(`${key}/`)).map(({ Value }) => Value)).toEqual(["three"]);
    expect(await kv.list(`contract/${randomUUID()}/`)).toEqual([]);
  });

  test("a value of 524,288 bytes is kept, one more byte is refused", async () => {
    const key = `contract/${randomUUID()}`;

    expect(await kv.put(key, "x".repeat(524_288))).toBe(true);
    const error = await rejection(kv.put(key, "x".repeat(524_289)));
    expect(error).toBeInstanceOf(AnswerError);
    expect(error).toMatchObject({ status: 413 });
  });

  test("a snapshot is written whole, for its owner's eyes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rollout-snapshot-"));
    const file = join(folder, "consul.snap");

    await consul.saveSnapshot(file);

    expect([...(await readFile(file)).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  test("an agent reads its configuration again, and joins where it is already", async () => {
    const [machine] = cluster.clients;
    const [server] = cluster.consulServers;
    const { Addr = "" } = (await consul.members()).find(({ Name }) => Name === server) ?? {};

    await agent(machine).reload();
    await agent(machine).join(Addr);
  });

  test("leadership is handed over, or the version says that it cannot", async () => {
    const leader = await consul.leader();
    const can = await consul.canTransferLeader();
    expect(await consul.leader()).toBe(leader);
    expect(await consul.transferLeader()).toBe(can ? "transferred" : "not supported");
    await eventually(cluster, "all is whole", whole, 60);
  });

  test("a client that left is out of the catalog, and its services with it", async () => {
    const [machine, other] = cluster.clients;

    await agent(machine).leave(machine);

    await eventually(cluster, "it is out", async () => (await nodeOf(machine)) === undefined, 60);
    expect(await statusOf(machine)).toBe("left");
    expect((await consul.passingInstances("broker")).map(({ Node }) => Node.Node)).toEqual([other]);
    await cluster.startEmpty(machine);
    await eventually(
      cluster,
      "it is back under its new id",
      async () => (await nodeOf(machine))?.ID === (await idOf(machine)),
      30,
    );
  });

  test("refuses to let another machine's agent leave", async () => {
    const [machine, other] = cluster.clients;

    const error = await rejection(agent(machine).leave(other));

    expect(error).toBeInstanceOf(WrongAgentError);
    expect(await statusOf(machine)).toBe("alive");
  });

  test("two servers are called healthy although none may fail; an empty successor is a voter after a while", async () => {
    const machine = await follower();
    const before = await idOf(machine);

    await agent(machine).leave(machine);

    expect((await consul.raftConfiguration()).map(({ Node }) => Node)).not.toContain(machine);
    await eventually(cluster, "it has left", async () => (await statusOf(machine)) === "left", 60);
    await eventually(
      cluster,
      "autopilot sees two servers",
      async () => {
        const { Healthy, FailureTolerance, Servers } = await consul.autopilotHealth();
        return Healthy && FailureTolerance === 0 && Servers.length === 2;
      },
      10,
    );
    await cluster.startEmpty(machine);
    await eventually(cluster, "it is in raft", async () => (await raftOf(machine)) !== undefined, 60);
    await eventually(cluster, "all is whole", whole, 90);
    expect(await idOf(machine)).not.toBe(before);
  });

  const raftOf = async (machine: string) =>
    (await consul.raftConfiguration()).find(({ Node }) => Node === machine);

  test("the leader's leave costs an election, and nothing else", async () => {
    const machine = (await consul.raftConfiguration()).find(({ Leader }) => Leader)?.Node ?? "";

    await agent(machine).leave(machine);

    await eventually(
      cluster,
      "another leads",
      async () => (await consul.raftConfiguration()).some(({ Leader, Node }) => Leader && Node !== machine),
      30,
    );
    await cluster.startEmpty(machine);
    await eventually(cluster, "all is whole", whole, 90);
  });

  test("a server that was killed is failed, and then taken out of raft by autopilot", async () => {
    const machine = await follower();

    await cluster.kill(machine);

    await eventually(cluster, "somebody says so", async () => (await statusOf(machine)) !== "alive", 30);
    await eventually(cluster, "it is out of raft", async () => (await raftOf(machine)) === undefined, 60);
    await cluster.startEmpty(machine);
    await eventually(cluster, "all is whole", whole, 120);
  });

  test("without a leader the servers say so in their own words, and members are answered all the same", async () => {
    const [one = "", two = ""] = await followers();
    const leading = through(cluster.consulServers.find((name) => name !== one && name !== two) ?? "");

    await Promise.all([one, two].map((machine) => cluster.kill(machine)));

    await eventually(cluster, "nobody leads", async () => (await leading.leader()) === undefined, 30);
    const error = await rejection(leading.autopilotHealth());
    expect(error).toBeInstanceOf(NoLeaderError);
    expect(error.message).toMatch(/^Consul has no leader: GET \/v1\/operator\/autopilot\/health at /);
    expect((await leading.members()).length).toBeGreaterThan(0);
  });
}
