import * as z from "zod";
import { list, map } from "../http/parse-answer.js";

// The names are those of Nomad's API. Fields that nobody here reads are left out; what an answer has beside these is allowed.

/** CPU in MHz, memory in MiB. */
const Resources = z.object({
  Cpu: z.object({ CpuShares: z.number() }),
  Memory: z.object({ MemoryMB: z.number() }),
});

const node = z.object({
  ID: z.string(),
  /** Two records have the same one for a while after a machine was replaced. */
  Name: z.string(),
  Status: z.enum(["initializing", "ready", "down", "disconnected"]),
  SchedulingEligibility: z.enum(["eligible", "ineligible"]),
  Datacenter: z.string().optional(),
  NodeClass: z.string().optional(),
  NodePool: z.string().optional(),
  /** How the last drain ended; `complete` also after its deadline was hit: only the node's events tell that. */
  LastDrain: z.object({ Status: z.enum(["draining", "complete", "canceled"]) }).nullish(),
  /** Of the machine, and what of it is not for work. In lists only where asked for. */
  NodeResources: Resources.nullish(),
  ReservedResources: Resources.nullish(),
});

export const NodeStub = node.extend({
  /** Absent in shortened answers. */
  Drain: z.boolean().optional(),
  ModifyIndex: z.number(),
});
export type NodeStub = z.output<typeof NodeStub>;

const Topology = z.object({ Segments: map }).transform(({ Segments }) => Segments);
const NodeInfo = z.object({ AccessibleTopology: Topology.nullish() }).nullish();
const CsiPlugin = z
  .object({ Healthy: z.boolean().optional(), NodeInfo })
  .transform((one) => (one.Healthy === false ? null : (one.NodeInfo?.AccessibleTopology ?? {})));

export const CsiVolume = z.object({
  ...{ ID: z.string(), Namespace: z.string(), PluginID: z.string(), Topologies: list(Topology) },
});
export type CsiVolume = z.output<typeof CsiVolume>;

const DrainStrategy = z.object({
  /** When the deadline will be hit; null where there is none. */
  ForceDeadline: z.string().nullish(),
});

const NodeEvent = z.object({
  Message: z.string(),
  Timestamp: z.string(),
  /** `deadline_reached` is "true" where a drain ended by its deadline. */
  Details: map,
});

export const Node = node.extend({
  DrainStrategy: DrainStrategy.nullish(),
  Meta: map,
  Attributes: map,
  Events: list(NodeEvent),
  CSINodePlugins: z.record(z.string(), CsiPlugin).nullish(),
});
export type Node = z.output<typeof Node>;

export const Allocation = z.object({
  ID: z.string(),
  Name: z.string().optional(),
  Namespace: z.string().optional(),
  JobID: z.string(),
  JobVersion: z.number().optional(),
  TaskGroup: z.string().optional(),
  NodeID: z.string().optional(),
  NodeName: z.string().optional(),
  /** pending, running, complete, failed, lost, unknown */
  ClientStatus: z.string(),
  /** run, stop, evict */
  DesiredStatus: z.string(),
  /** `Canary` ends with the promotion of its deployment. */
  DeploymentStatus: z.object({ Healthy: z.boolean().nullish(), Canary: z.boolean().nullish() }).nullish(),
  /** By task. In lists only where asked for. */
  AllocatedResources: z.object({ Tasks: z.record(z.string(), Resources).nullish() }).nullish(),
  NextAllocation: z.string().nullish(),
  /** Nanoseconds since 1970. */
  ModifyTime: z.number().optional(),
});
export type Allocation = z.output<typeof Allocation>;

export const JobStub = z.object({
  ID: z.string(),
  Namespace: z.string().optional(),
  Name: z.string(),
  /** service, batch, system, sysbatch */
  Type: z.string(),
  /** pending, running, dead */
  Status: z.string(),
  Stop: z.boolean().optional(),
});
export type JobStub = z.output<typeof JobStub>;

const constraints = list(z.object({ LTarget: z.string(), Operand: z.string(), RTarget: z.string() }));
const volume = z.object({ Type: z.string(), Source: z.string(), PerAlloc: z.boolean().nullish() });

export const Job = JobStub.extend({
  Datacenters: list(z.string()),
  NodePool: z.string().optional(),
  Version: z.number().optional(),
  Constraints: constraints,
  TaskGroups: list(
    z.object({
      Name: z.string(),
      Count: z.number(),
      Update: z.object({ HealthCheck: z.string().nullish() }).nullish(),
      Migrate: z.object({ MaxParallel: z.number() }).nullish(),
      Constraints: constraints,
      Volumes: z.record(z.string(), volume).nullish(),
      Tasks: list(z.object({ KillTimeout: z.number().optional(), Constraints: constraints })),
    }),
  ),
});
export type Job = z.output<typeof Job>;

export { AutopilotHealth, RaftConfiguration, type RaftServer } from "../http/raft.js";

export const Member = z.object({
  /** With the region: `nomad-server-0-0.global`. */
  Name: z.string(),
  Addr: z.string(),
  /** alive, leaving, left, failed, none */
  Status: z.string(),
  /** `id` is the server's in raft. */
  Tags: map,
});
export type Member = z.output<typeof Member>;

export const Members = z.object({ Members: list(Member) });

export const Self = z.object({
  config: z.object({
    NodeName: z.string().nullish(),
    Region: z.string(),
    Server: z.object({ Enabled: z.boolean() }).nullish(),
  }),
  member: z.object({ Tags: map }).nullish(),
  stats: z.record(z.string(), z.unknown()).nullish(),
});
export type Self = z.output<typeof Self>;
