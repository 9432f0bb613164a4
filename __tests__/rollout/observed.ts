import {
  CONSUL_RIGHTS,
  isUnknown,
  NOMAD_RIGHTS,
  type Allocation,
  type NomadNode,
  type Observation,
  type Observed,
  type Unknown,
} from "../../rollout/observation/observation.js";
import { roleOf } from "../../cluster/groups.js";
import type { LeaveOrder } from "../../rollout/leave/order.js";
import type { Expected } from "../../rollout/ready/expected.js";

/** The same, to be written to. */
type Draft<T> = T extends Unknown
  ? T
  : T extends readonly (infer E)[]
    ? Draft<E>[]
    : T extends object
      ? { -readonly [K in keyof T]: Draft<T[K]> }
      : T;

export type World = Draft<Observation>;

export const OLD = "0000000001";
export const NEW = "0000000002";

/** 2026-11-21T10:00:00Z */
export const START = Date.UTC(2026, 10, 21, 10);

export const BROKERS = ["broker-0-0", "broker-0-1", "broker-1-0", "broker-1-1", "broker-2-0"] as const;

export const groupOfHost = (host: string): string => host.slice(0, host.lastIndexOf("-"));

const metaOf = (host: string, hash = OLD): Record<string, string> => ({
  rollout_cluster: "demo",
  rollout_pool: groupOfHost(groupOfHost(host)),
  rollout_group: groupOfHost(host),
  rollout_host: host,
  rollout_image: hash === OLD ? "ami-0aaa" : "ami-0bbb",
  rollout_template_hash: hash,
});

const servers = (pool: string): string[] => [0, 1, 2].map((index) => `${pool}-${String(index)}-0`);

const addressOf = (host: string): string => `10.0.${String(Math.max(0, ALL.indexOf(host)))}.1`;

export const ALL = [...servers("consul-server"), ...servers("nomad-server"), ...BROKERS] as string[];

/** A healthy cluster with three Consul servers, three Nomad servers and five brokers, in which server 0 of each leads. */
export function wholeCluster(): World {
  const autopilot = (pool: string, suffix: string) => ({
    healthy: true,
    failureTolerance: 1,
    servers: servers(pool).map((host, index) => ({
      id: `${host}-id`,
      name: `${host}${suffix}`,
      voter: true,
      leader: index === 0,
      healthy: true,
      stableSince: START - 3_600_000,
    })),
  });
  const raft = (pool: string, suffix: string, port: number) =>
    servers(pool).map((host, index) => ({
      id: `${host}-id`,
      name: `${host}${suffix}`,
      address: `${addressOf(host)}:${String(port)}`,
      voter: true,
      leader: index === 0,
    }));
  return {
    at: START,
    consul: {
      rights: [...CONSUL_RIGHTS],
      members: ALL.map((name) => ({ name, address: addressOf(name), status: "alive" })),
      catalog: ALL.map((name) => ({
        id: `${name}-consul`,
        name,
        address: addressOf(name),
        meta: metaOf(name),
      })),
      autopilot: autopilot("consul-server", ""),
      raft: raft("consul-server", "", 8300),
      health: ALL.map((node) => ({ node, id: "serfHealth", service: "", status: "passing" })),
      canTransferLeadership: true,
    },
    nomad: {
      rights: [...NOMAD_RIGHTS],
      nodes: BROKERS.map((name) => nodeOf(name)),
      allocations: BROKERS.flatMap((host) => [allocationOn(host, "web"), allocationOn(host, "log")]),
      jobs: [
        {
          id: "web",
          namespace: "default",
          type: "service",
          groups: [{ name: "g", desired: 5, running: 5, healthy: 5 }],
        },
        {
          id: "log",
          namespace: "default",
          type: "system",
          groups: [{ name: "g", desired: 5, running: 5, healthy: 5 }],
        },
      ],
      members: servers("nomad-server").map((host) => ({
        id: `${host}-id`,
        name: `${host}.global`,
        version: "2.0.6",
        address: addressOf(host),
        status: "alive",
      })),
      autopilot: autopilot("nomad-server", ".global"),
      raft: raft("nomad-server", ".global", 4647),
    },
    snapshotAt: null,
    machines: { unknown: "there is no EC2 on this platform", absent: true },
    targets: [],
    agents: ALL.map((host) => ({
      host,
      consul: { nodeId: host.startsWith("consul-server") ? `${host}-id` : `${host}-consul` },
      nomad: { id: host.startsWith("broker") ? `${host}-node` : `${host}-id` },
    })),
    checks: [],
  };
}

export type Node = Draft<NomadNode>;
export type AllocationDraft = Draft<Allocation>;

export const nodeOf = (host: string, hash = OLD, id = `${host}-node`): Node => ({
  id,
  name: host,
  status: "ready",
  eligibility: "eligible",
  drain: null,
  lastDrain: null,
  events: [{ at: START - 7_200_000, message: "Node registered", deadlineReached: false }],
  meta: metaOf(host, hash),
  resources: { cpuMhz: 1000, memoryMb: 1000 },
  used: { cpuMhz: 200, memoryMb: 100 },
});

export const allocationOn = (host: string, job: string, node = `${host}-node`): AllocationDraft => ({
  id: `${job}@${host}`,
  node,
  job,
  namespace: "default",
  taskGroup: "g",
  clientStatus: "running",
  desiredStatus: "run",
  healthy: true,
  used: { cpuMhz: 100, memoryMb: 50 },
  since: START - 3_600_000,
});

/** An observation with edits. */
export function observed(...edits: readonly ((world: World) => void)[]): World {
  const world = wholeCluster();
  for (const edit of edits) edit(world);
  return world;
}

/** A list of an observation that could be asked. */
export function known<T>(value: Observed<T>): T {
  if (isUnknown(value)) throw new Error(`not known: ${value.unknown}`);
  return value;
}

/** The one in a list that has this name or id. */
export function pick<T extends object>(list: Observed<readonly T[]>, name: string): T {
  const found = known(list).find((one) => Object.values(one).includes(name));
  if (!found) throw new Error(`no ${name}`);
  return found;
}

/** A whole group is replaced: nobody of the old template stays. */
export function orderOf(group: string, more: Partial<LeaveOrder> = {}): LeaveOrder {
  const hosts = hostsOf(group);
  return {
    group,
    role: roleOf(groupOfHost(group)),
    servers: 3,
    hash: NEW,
    stay: hosts,
    hosts,
    workload: "moves",
    retires: false,
    drain: { deadlineSeconds: 3600, onDeadline: "fail" },
    ...more,
  };
}

/** What a group has to be once it was replaced. */
export const expecting = (group: string, more: Partial<Expected> = {}): Expected => ({
  cluster: "demo",
  group,
  pool: group.replace(/-\d$/, ""),
  role: roleOf(groupOfHost(group)),
  servers: 3,
  image: "ami-0bbb",
  hash: NEW,
  hosts: hostsOf(group),
  workload: "moves",
  hasLoadBalancer: false,
  hasMachines: false,
  checks: [],
  ...more,
});

const hostsOf = (group: string): string[] => ALL.filter((host) => groupOfHost(host) === group);

/** A machine that was made anew from the new template, under its old name and new ids. */
export function replaced(host: string) {
  return (world: World): void => {
    const node = pick(world.consul.catalog, host);
    node.id = `${host}-consul-new`;
    node.meta = metaOf(host, NEW);
    const self = pick(world.agents, host);
    self.consul = { nodeId: node.id };
    if (!host.startsWith("broker")) return;
    self.nomad = { id: `${host}-node-new` };
    const old = pick(world.nomad.nodes, `${host}-node`);
    old.status = "down";
    old.eligibility = "ineligible";
    for (const one of known(world.nomad.allocations)) {
      if (one.node === old.id) Object.assign(one, { clientStatus: "complete", desiredStatus: "stop" });
    }
    known(world.nomad.nodes).push(nodeOf(host, NEW, `${host}-node-new`));
    known(world.nomad.allocations).push(allocationOn(host, "web", `${host}-node-new`));
  };
}
