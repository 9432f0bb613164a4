import type { NodeRecord } from "../node-record.js";
import type { Nomad } from "../nomad.js";

const lastDrainView = ({ timeline }: Nomad, { lastDrain }: NodeRecord) =>
  lastDrain
    ? {
        AccessorID: lastDrain.accessor,
        Meta: lastDrain.meta,
        StartedAt: timeline.stampInSeconds(lastDrain.startedAt),
        Status: lastDrain.status,
        UpdatedAt: timeline.stampInSeconds(lastDrain.updatedAt),
      }
    : null;

const drivers = ({ timeline }: Nomad, node: NodeRecord) => ({
  raw_exec: {
    Attributes: { "driver.raw_exec": "true" },
    Detected: true,
    HealthDescription: "Healthy",
    Healthy: true,
    UpdateTime: timeline.stamp(node.statusAt),
  },
});

const resources = ({ agent: { settings } }: NodeRecord) => ({
  Cpu: { CpuShares: settings.cpuMhz, ReservableCpuCores: [0, 1], TotalCpuCores: 2 },
  Memory: { MemoryMB: settings.memoryMb },
  Disk: { DiskMB: 100_000 },
  Devices: null,
  Networks: null,
  NodeNetworks: null,
});

const RESERVED = {
  Cpu: { CpuShares: 0, ReservedCpuCores: null },
  Memory: { MemoryMB: 0 },
  Disk: { DiskMB: 0 },
  Networks: { ReservedHostPorts: "" },
};

/** A node as `/v1/nodes` lists it. */
export const nodeStub = (nomad: Nomad, node: NodeRecord, withResources: boolean) => ({
  Address: node.agent.address,
  CreateIndex: node.createIndex,
  Datacenter: "dc1",
  Drain: node.drain !== undefined,
  Drivers: drivers(nomad, node),
  HostVolumes: {},
  ID: node.id,
  LastDrain: lastDrainView(nomad, node),
  ModifyIndex: node.modifyIndex,
  Name: node.name,
  NodeClass: "",
  NodePool: node.agent.settings.nodePool,
  SchedulingEligibility: node.eligible ? "eligible" : "ineligible",
  Status: node.status as string,
  StatusDescription: "",
  Version: nomad.version,
  ...(withResources ? { NodeResources: resources(node), ReservedResources: RESERVED } : {}),
});

/** A node as `/v1/node/:id` writes it. */
export const nodeView = (nomad: Nomad, node: NodeRecord) => ({
  Attributes: {
    "unique.hostname": node.name,
    "nomad.version": nomad.version,
    "kernel.name": "linux",
  },
  CSIControllerPlugins: {},
  CSINodePlugins: {},
  CgroupParent: "nomad.slice",
  ComputedClass: "v1:16906736143216465717",
  CreateIndex: node.createIndex,
  Datacenter: "dc1",
  Drain: node.drain !== undefined,
  DrainStrategy: strategyView(nomad, node),
  Drivers: drivers(nomad, node),
  Events: node.events.map((event) => ({
    CreateIndex: event.createIndex,
    Details: event.details,
    Message: event.message,
    Subsystem: event.subsystem,
    Timestamp: nomad.timeline.stamp(event.at),
  })),
  GCVolumesOnNodeGC: false,
  HTTPAddr: `${node.agent.address}:4646`,
  HostNetworks: null,
  HostVolumes: {},
  ID: node.id,
  IdentitySigningKeyID: "2218057f-5d2a-755e-ea7d-6df543343732",
  LastAllocUpdateIndex: Math.max(0, ...nomad.scheduler.on(node).map(({ modifyIndex }) => modifyIndex)),
  LastDrain: lastDrainView(nomad, node),
  LastMissedHeartbeatIndex: 0,
  Links: {},
  Meta: node.agent.settings.meta,
  ModifyIndex: node.modifyIndex,
  Name: node.name,
  NodeClass: "",
  NodeMaxAllocs: 0,
  NodePool: node.agent.settings.nodePool,
  NodeResources: resources(node),
  ReservedResources: RESERVED,
  SchedulingEligibility: node.eligible ? "eligible" : "ineligible",
  SecretID: "",
  Status: node.status as string,
  StatusDescription: "",
  StatusUpdatedAt: nomad.timeline.unixSeconds(node.statusAt),
  TLSEnabled: false,
});

function strategyView({ timeline }: Nomad, { drain }: NodeRecord) {
  if (!drain) return null;
  return {
    Deadline: drain.deadline,
    ForceDeadline: drain.forceAt === undefined ? null : timeline.stamp(drain.forceAt),
    IgnoreSystemJobs: drain.ignoreSystemJobs,
    StartedAt: timeline.stamp(drain.startedAt),
  };
}
