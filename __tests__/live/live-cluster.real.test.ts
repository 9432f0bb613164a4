import { afterEach, expect, jest, test } from "@jest/globals";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CONSUL_RIGHTS,
  isUnknown,
  NOMAD_RIGHTS,
  type Observed,
} from "../../rollout/observation/observation.js";
import { observeAgents } from "../../live/observe/agents.js";
import type { MachineAgents } from "../../live/machine-agents.js";
import { ALL, CONSULS, machine, NOMADS, startWorld, type World } from "../support/still-cluster.js";

jest.setTimeout(30_000);

/** Where every node is. */
const PLACE = { datacenter: "dc1", pool: "default", class: "" };

let world: World;

afterEach(async () => {
  await world.close();
});

test("a healthy cluster is seen whole", async () => {
  world = await startWorld();

  const seen = await world.observe({ agentsOf: ["broker-0-0"] });

  expect(seen).toEqual({
    at: Date.parse("2026-01-01T00:01:01Z"),
    consul: {
      rights: CONSUL_RIGHTS,
      members: sorted(ALL.map((name) => ({ name, address: machine(name).address, status: "alive" }))),
      catalog: sorted(
        ALL.map((name) => ({
          id: consulId(name),
          name,
          address: machine(name).address,
          meta: { "consul-network-segment": "", ...metaOf(name) },
        })),
      ),
      autopilot: health(CONSULS.map((name) => [consulId(name), name])),
      raft: peers(CONSULS.map((name) => [consulId(name), name, `${machine(name).address}:8300`])),
      health: [{ node: "broker-0-0", id: "serfHealth", service: "", status: "passing" }],
      canTransferLeadership: false,
    },
    nomad: {
      rights: NOMAD_RIGHTS,
      nodes: expect.arrayContaining([
        {
          id: nomadId("broker-0-0"),
          name: "broker-0-0",
          status: "ready",
          eligibility: "eligible",
          drain: null,
          lastDrain: null,
          events: [{ at: expect.any(Number), message: "Node registered", deadlineReached: false }],
          meta: metaOf("broker-0-0"),
          attributes: expect.objectContaining({ "kernel.name": "linux" }),
          csi: {},
          ...PLACE,
          resources: { cpuMhz: 4000, memoryMb: 8192 },
          used: { cpuMhz: 100, memoryMb: 300 },
        },
        {
          id: nomadId("broker-1-0"),
          name: "broker-1-0",
          status: "ready",
          eligibility: "eligible",
          drain: null,
          lastDrain: null,
          events: [],
          meta: {},
          ...PLACE,
          resources: { cpuMhz: 4000, memoryMb: 8192 },
          used: { cpuMhz: 100, memoryMb: 300 },
        },
      ]),
      allocations: [
        {
          id: expect.any(String),
          node: nomadId("broker-0-0"),
          job: "web",
          namespace: "default",
          taskGroup: "g",
          clientStatus: "running",
          desiredStatus: "run",
          healthy: true,
          used: { cpuMhz: 100, memoryMb: 300 },
          since: expect.any(Number),
        },
      ],
      jobs: [
        {
          id: "web",
          namespace: "default",
          type: "service",
          groups: [
            {
              ...{ name: "g", desired: 2, running: 2, healthy: 2, isUpdating: false },
              on: expect.arrayContaining([nomadId("broker-0-0"), nomadId("broker-1-0")]),
              ...{ constraints: [], volumes: [], maxParallel: 1, killTimeoutSeconds: 5 },
            },
          ],
          datacenters: ["dc1"],
          pool: "default",
        },
      ],
      members: expect.arrayContaining(
        NOMADS.map((name) => ({
          name: `${name}.global`,
          version: "2.0.6-dev",
          id: nomadId(name),
          address: machine(name).address,
          status: "alive",
        })),
      ),
      autopilot: health(NOMADS.map((name) => [nomadId(name), `${name}.global`])),
      raft: peers(NOMADS.map((name) => [nomadId(name), `${name}.global`, `${machine(name).address}:4647`])),
    },
    snapshotAt: null,
    machines: { unknown: "there is no EC2 on platform local", absent: true },
    targets: [],
    agents: [
      {
        host: "broker-0-0",
        consul: { nodeId: consulId("broker-0-0") },
        nomad: { id: nomadId("broker-0-0") },
      },
    ],
    checks: [],
    consulServers: 3,
  });
  expect(known(seen.nomad.nodes)).toHaveLength(2);
});

test("before work leaves, nodes elsewhere are seen in all detail, too", async () => {
  world = await startWorld();

  const nodes = known((await world.observe({ before: true })).nomad.nodes);

  expect(nodes.find(({ name }) => name === "broker-1-0")).toMatchObject({
    attributes: { "kernel.name": "linux" },
    meta: metaOf("broker-1-0"),
  });
});

test("but of another node pool, where none of its work may go, only as the list has them", async () => {
  const machines = ALL.map((name) => ({
    ...machine(name),
    ...(name === "broker-1-0" ? { nodePool: "other" } : {}),
  }));
  world = await startWorld({ machines });

  const nodes = known((await world.observe({ before: true })).nomad.nodes);

  const other = nodes.find(({ name }) => name === "broker-1-0");
  expect(other).toMatchObject({ pool: "other", meta: {}, resources: { cpuMhz: 4000, memoryMb: 8192 } });
  expect(other).not.toHaveProperty("attributes");
});

test("of servers the own ids are those in raft, and work is not asked for", async () => {
  world = await startWorld();
  const check = {
    name: "answers",
    host: "nomad-server-0-0",
    passed: true,
    value: "status 200",
    at: 1,
    until: 2,
  };

  const nomad = await world.observe({
    group: "nomad-server-0",
    role: "nomad-server",
    agentsOf: ["nomad-server-0-0"],
    checks: [check],
  });
  const consul = await world.observe({
    group: "consul-server-0",
    role: "consul-server",
    agentsOf: ["consul-server-0-0"],
  });

  expect(nomad.agents).toEqual([
    {
      host: "nomad-server-0-0",
      consul: { nodeId: consulId("nomad-server-0-0") },
      nomad: { id: nomadId("nomad-server-0-0") },
    },
  ]);
  expect(nomad.checks).toEqual([check]);
  expect(nomad.nomad.allocations).toEqual({ unknown: "not asked: servers run no work" });
  expect(nomad.nomad.jobs).toEqual({ unknown: "not asked: servers run no work" });
  expect(consul.agents).toEqual([
    {
      host: "consul-server-0-0",
      consul: { nodeId: consulId("consul-server-0-0") },
      nomad: { unknown: "a machine of this kind has no Nomad agent" },
    },
  ]);
});

test("a node that drains shows its deadline, and once drained how that ended", async () => {
  world = await startWorld();
  const id = nomadId("broker-0-0");
  await world.live.nomad.setEligibility(id, "ineligible");
  await world.live.nomad.drain(id, { deadline: 600 });
  const [draining] = known((await world.observe()).nomad.nodes).filter((node) => node.id === id);
  const [elsewhere] = known((await world.observe({ group: "broker-1" })).nomad.nodes).filter(
    (node) => node.id === id,
  );
  world.simulator.advance(60_000);
  const after = await world.observe();

  expect(draining).toMatchObject({
    eligibility: "ineligible",
    drain: { deadlineAt: Date.parse("2026-01-01T00:11:01Z") },
    lastDrain: { status: "draining" },
  });
  expect(elsewhere?.drain).toEqual({ deadlineAt: null });
  expect(known(after.nomad.nodes).find((node) => node.id === id)).toMatchObject({
    eligibility: "ineligible",
    drain: null,
    lastDrain: { status: "complete" },
    used: { cpuMhz: 0, memoryMb: 0 },
    events: expect.arrayContaining([
      { at: expect.any(Number), message: "Node drain complete", deadlineReached: false },
    ]),
  });
  expect(known(after.nomad.allocations)).toMatchObject([
    { node: id, clientStatus: "complete", desiredStatus: "stop" },
  ]);
  expect(known(after.nomad.jobs)[0]?.groups).toMatchObject([
    { name: "g", desired: 2, running: 2, healthy: 2 },
  ]);
});

test("a drain that was ended by its deadline says so", async () => {
  world = await startWorld();
  const id = nomadId("broker-0-0");
  // Batch work is waited for, until the deadline.
  world.simulator.do(() => {
    world.simulator.cluster.runJob({
      ID: "sums",
      Type: "batch",
      TaskGroups: [{ Name: "g", Count: 2, Tasks: [{ Name: "t" }] }],
    });
  });
  world.simulator.advance(5_000);
  await world.live.nomad.drain(id, { deadline: 20 });
  world.simulator.advance(60_000);

  const node = known((await world.observe()).nomad.nodes).find((each) => each.id === id);

  expect(node).toMatchObject({ drain: null, lastDrain: { status: "complete" } });
  expect(node?.events.at(-1)).toEqual({
    at: expect.any(Number),
    message: "Node drain complete",
    deadlineReached: true,
  });
});

test("a machine that was replaced has two records, and both are seen in all detail", async () => {
  world = await startWorld();
  const old = nomadId("broker-0-0");
  world.simulator.do(() => {
    world.simulator.cluster.killMachine("broker-0-0");
  });
  await world.simulator.startMachine(machine("broker-0-0"));
  world.simulator.advance(60_000);

  const seen = await world.observe({ agentsOf: ["broker-0-0"] });

  const records = known(seen.nomad.nodes).filter(({ name }) => name === "broker-0-0");
  const fresh = nomadId("broker-0-0");
  expect(fresh).not.toBe(old);
  expect(new Map(records.map(({ id, status, meta }) => [id, [status, meta["rollout_host"]]]))).toEqual(
    new Map([
      [old, ["down", "broker-0-0"]],
      [fresh, ["ready", "broker-0-0"]],
    ]),
  );
  expect(seen.agents[0]?.nomad).toEqual({ id: fresh });
  expect(known(seen.nomad.allocations).find(({ node }) => node === old)).toMatchObject({
    clientStatus: "lost",
  });
});

test("a server that does not vote is seen not to", async () => {
  world = await startWorld();
  world.simulator.cluster.consul.nonVoters.add("consul-server-2-0");
  world.simulator.do(() => {
    world.simulator.cluster.killMachine("consul-server-2-0");
  });
  world.simulator.advance(120_000);
  await world.simulator.startMachine(machine("consul-server-2-0"));
  world.simulator.advance(120_000);

  const { consul } = await world.observe({ group: "consul-server-2", role: "consul-server" });

  const id = consulId("consul-server-2-0");
  expect(known(consul.raft).find((peer) => peer.id === id)).toMatchObject({ voter: false, leader: false });
  expect(known(consul.autopilot)).toMatchObject({ failureTolerance: 0 });
  expect(known(consul.autopilot).servers.find((server) => server.id === id)).toMatchObject({ voter: false });
});

test("autopilot that is not healthy answers 429, and is heard all the same", async () => {
  world = await startWorld();
  world.simulator.do(() => {
    world.simulator.cluster.killMachine("consul-server-2-0");
  });
  world.simulator.advance(10_000);

  const { consul } = await world.observe({ group: "consul-server-2", role: "consul-server" });

  expect(known(consul.autopilot)).toMatchObject({ healthy: false, failureTolerance: 0 });
});

test("what a token may not see is not known, and never empty", async () => {
  world = await startWorld(
    {
      consul: { tokens: new Map([["consul-token", { agentPrefix: { broker: "write" } }]]) },
      nomad: {
        tokens: new Map([["nomad-token", { node: "read", namespaces: { team: ["read-job", "list-jobs"] } }]]),
      },
    },
    { CONSUL_HTTP_TOKEN: "consul-token", NOMAD_TOKEN: "nomad-token" },
  );

  const { consul, nomad } = await world.observe();

  expect(consul.rights).toEqual(["agent:write"]);
  expect(nomad.rights).toEqual(["node:read"]);
  const hidden = {
    members: consul.members,
    catalog: consul.catalog,
    raft: consul.raft,
    health: consul.health,
    allocations: nomad.allocations,
    jobs: nomad.jobs,
    autopilot: nomad.autopilot,
    peers: nomad.raft,
  };
  expect(
    Object.fromEntries(
      Object.entries(hidden).map(([name, list]) => [name, isUnknown(list) ? reason(list.unknown) : list]),
    ),
  ).toMatchInlineSnapshot(`
   {
     "allocations": "Nomad does not allow it: GET /v1/allocations?namespace=*&task_states=false&resources=true at http://HOST/nomad (403 Permission denied); the token in NOMAD_TOKEN needs namespace "*" { capabilities = ["read-job"] }",
     "autopilot": "Nomad does not allow it: GET /v1/operator/autopilot/health at http://HOST/nomad (403 Permission denied); the token in NOMAD_TOKEN needs operator { policy = "read" }",
     "catalog": "Consul shows this token less than there is: GET /v1/catalog/nodes at http://HOST/consul; the token in CONSUL_HTTP_TOKEN needs node_prefix "" { policy = "read" }",
     "health": "the token lacks node:read and service:read, so what it is shown proves nothing",
     "jobs": "Nomad does not allow it: GET /v1/allocations?namespace=*&task_states=false&resources=true at http://HOST/nomad (403 Permission denied); the token in NOMAD_TOKEN needs namespace "*" { capabilities = ["read-job"] }",
     "members": "Consul shows this token less than there is: GET /v1/agent/members at http://HOST/consul; the token in CONSUL_HTTP_TOKEN needs node_prefix "" { policy = "read" }",
     "peers": "Nomad does not allow it: GET /v1/operator/raft/configuration at http://HOST/nomad (403 Permission denied); the token in NOMAD_TOKEN needs management rights (a token of type management)",
     "raft": "Consul does not allow it: GET /v1/operator/raft/configuration at http://HOST/consul (403 Permission denied); the token in CONSUL_HTTP_TOKEN needs operator = "read"",
   }
  `);
  expect(JSON.stringify([consul, nomad])).not.toMatch(/consul-token|nomad-token/);
});

test("a list of allocations for want of rights is not known even where Nomad answers with one", async () => {
  world = await startWorld(
    { nomad: { tokens: new Map([["token", { node: "write", namespaces: { "*": ["list-jobs"] } }]]) } },
    { NOMAD_TOKEN: "token" },
  );
  world.simulator.cluster.faults.add({ kind: "status", status: 200, body: "[]", path: "/v1/allocations" });

  const { nomad } = await world.observe();

  expect(nomad.rights).toEqual(["node:read", "node:write", "list-jobs"]);
  expect(nomad.allocations).toEqual({
    unknown: "the token lacks read-job, so what it is shown proves nothing",
  });
  expect(nomad.jobs).toEqual(nomad.allocations);
  expect(known(nomad.nodes)[0]).not.toHaveProperty("used");
});

test("a cluster without a leader is not known, but its members are", async () => {
  world = await startWorld();
  world.simulator.cluster.faults.add({ kind: "status", status: 500, path: "/v1/operator" });
  world.simulator.cluster.faults.add({ kind: "status", status: 500, path: "/v1/catalog" });
  world.simulator.cluster.faults.add({ kind: "status", status: 500, path: "/v1/nodes" });

  const { consul, nomad } = await world.observe();

  expect(known(consul.members)).toHaveLength(ALL.length);
  const noLeader = {
    unknown: expect.stringMatching(/^(Consul|Nomad) has no leader: GET /),
    passing: true,
  };
  expect([consul.raft, consul.autopilot, consul.catalog, nomad.raft, nomad.autopilot]).toEqual(
    Array.from({ length: 5 }, () => noLeader),
  );
  expect([nomad.nodes, nomad.allocations, nomad.jobs]).toEqual([noLeader, noLeader, noLeader]);
});

test("an agent that does not run is stopped; one of another machine is not known", async () => {
  world = await startWorld();
  world.simulator.do(() => {
    world.simulator.cluster.killAgent("broker-0-0", "nomad");
  });
  const own = world.live.agents;
  const wrong: MachineAgents = { ...own, consul: (host) => own.consul(host.replace("broker-9", "broker-1")) };
  const hosts = ["broker-0-0", "broker-9-0", "broker-8-0"];

  const agents = await observeAgents(wrong, hosts, "client");

  expect(agents).toMatchInlineSnapshot(`
   [
     {
       "consul": {
         "nodeId": "1fddc1b1-53af-7948-eff4-0b8f176df64b",
       },
       "host": "broker-0-0",
       "nomad": "stopped",
     },
     {
       "consul": {
         "unknown": "the Consul agent at the address of broker-9-0 calls itself broker-1-0; correct its address or its name",
       },
       "host": "broker-9-0",
       "nomad": {
         "unknown": "no machine broker-9-0 runs",
       },
     },
     {
       "consul": {
         "unknown": "no machine broker-8-0 runs",
       },
       "host": "broker-8-0",
       "nomad": {
         "unknown": "no machine broker-8-0 runs",
       },
     },
   ]
  `);
});

test("a snapshot is as old as its file, and an empty file is none", async () => {
  world = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), "rollout-"));
  const [file, blank] = [join(folder, "kept.snap"), join(folder, "blank.snap")];
  await writeFile(file, "snapshot");
  await utimes(file, 1_700_000_000, 1_700_000_000);
  await writeFile(blank, "");
  const at = async (snapshotFile: string) => (await world.observe({ snapshotFile })).snapshotAt;

  expect(await at(file)).toBe(1_700_000_000_000);
  expect(await at(blank)).toBeNull();
  expect(await at(join(folder, "none"))).toBeNull();
  expect(await at(join(file, "below"))).toEqual({
    unknown: `the snapshot cannot be looked at: ${file}/below (ENOTDIR)`,
  });
  await rm(folder, { recursive: true });
});

function known<T>(value: Observed<T>): T {
  if (isUnknown(value)) throw new Error(`not known: ${value.unknown}`);
  return value;
}

/** Without the port, which is another each time. */
const reason = (text: string): string => text.replace(/127\.0\.0\.1:\d+/g, "HOST");

function consulId(name: string): string {
  return world.simulator.cluster.machine(name).consul?.id ?? "";
}

function nomadId(name: string): string {
  return world.simulator.cluster.machine(name).nomad?.id ?? "";
}

const metaOf = (name: string) => machine(name).meta;

/** As the lists are asserted: in any order. */
const sorted = (items: readonly object[]) => expect.arrayContaining([...items]);

const health = (servers: readonly (readonly [string, string])[]) => ({
  healthy: true,
  failureTolerance: 1,
  servers: expect.arrayContaining(
    servers.map(([id, name], index) => ({
      id,
      name,
      voter: true,
      leader: index === 0,
      healthy: true,
      stableSince: expect.any(Number),
    })),
  ),
});

const peers = (servers: readonly (readonly [string, string, string])[]) =>
  servers.map(([id, name, address], index) => ({ id, name, address, voter: true, leader: index === 0 }));
