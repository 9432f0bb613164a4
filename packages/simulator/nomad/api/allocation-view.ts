import type { Allocation } from "../allocation.js";
import type { Nomad } from "../nomad.js";

const CLIENT_DESCRIPTION = {
  pending: "No tasks have started",
  running: "Tasks are running",
  complete: "All tasks have completed",
  failed: "Failed tasks",
  lost: "",
} as const;

const transition = ({ migrate }: Allocation) => ({
  ForceReschedule: null,
  Migrate: migrate ? true : null,
  MigrateDisablePlacement: null,
  NoShutdownDelay: null,
  Reschedule: null,
});

function deploymentStatus({ timeline }: Nomad, { healthy, healthyAt, modifyIndex, job }: Allocation) {
  if (healthy === undefined || job.type !== "service") return null;
  return { Canary: false, Healthy: healthy, ModifyIndex: modifyIndex, Timestamp: timeline.stamp(healthyAt) };
}

function taskStates({ timeline }: Nomad, allocation: Allocation) {
  const { client, startedAt, endedAt, group } = allocation;
  const failed = client === "failed";
  const state = client === "pending" ? "pending" : client === "running" ? "running" : "dead";
  const event = (type: string, at: number) => ({
    Details: {},
    DiskLimit: 0,
    DisplayMessage: type,
    DownloadError: "",
    DriverError: "",
    DriverMessage: "",
    ExitCode: failed && type === "Terminated" ? 1 : 0,
    FailedSibling: "",
    FailsTask: false,
    GenericSource: "",
    KillError: "",
    KillReason: "",
    KillTimeout: 0,
    Message: "",
    RestartReason: "",
    SetupError: "",
    Signal: 0,
    StartDelay: 0,
    TaskSignal: "",
    TaskSignalReason: "",
    Time: timeline.nanoseconds(at),
    Type: type,
    ValidationError: "",
    VaultError: "",
  });
  const stamp = (at: number | undefined): string | null => (at === undefined ? null : timeline.stamp(at));
  const events = [
    event("Received", allocation.createdAt),
    ...(startedAt === undefined ? [] : [event("Started", startedAt)]),
    ...(endedAt === undefined ? [] : [event("Terminated", endedAt)]),
  ];
  const each = {
    Events: events,
    Failed: failed,
    FinishedAt: stamp(endedAt),
    LastRestart: null,
    Paused: "",
    Restarts: 0,
    StartedAt: stamp(startedAt),
    State: state,
  };
  return Object.fromEntries(group.taskNames.map((name) => [name, each]));
}

const nameOf = ({ job, group, slot }: Allocation): string => `${job.id}.${group.name}[${String(slot)}]`;

/** An allocation as a job's list shows it. */
export const allocationStub = (nomad: Nomad, allocation: Allocation) => ({
  ClientDescription: CLIENT_DESCRIPTION[allocation.client] as string,
  ClientStatus: allocation.client as string,
  CreateIndex: allocation.createIndex,
  CreateTime: nomad.timeline.nanoseconds(allocation.createdAt),
  DeploymentStatus: deploymentStatus(nomad, allocation),
  DesiredDescription: "",
  DesiredStatus: allocation.desired as string,
  DesiredTransition: transition(allocation),
  EvalID: allocation.evalId,
  FollowupEvalID: "",
  ID: allocation.id,
  JobID: allocation.job.id,
  JobType: allocation.job.type as string,
  JobVersion: allocation.job.version,
  ModifyIndex: allocation.modifyIndex,
  ModifyTime: nomad.timeline.nanoseconds(allocation.modifiedAt),
  Name: nameOf(allocation),
  Namespace: allocation.job.spec.Namespace,
  NextAllocation: allocation.next,
  NodeID: allocation.node.id,
  NodeName: allocation.node.name,
  PreemptedAllocations: null,
  PreemptedByAllocation: "",
  RescheduleTracker: null,
  TaskGroup: allocation.group.name,
  TaskStates: taskStates(nomad, allocation),
});

export const allocatedResources = ({ group: { taskNames, cpu, memoryMb } }: Allocation) => ({
  // What a group needs stands in its first task.
  Tasks: Object.fromEntries(
    taskNames.map((name, index) => [
      name,
      {
        Cpu: { CpuShares: index === 0 ? cpu : 0, ReservedCores: null },
        Memory: { MemoryMB: index === 0 ? memoryMb : 0, MemoryMaxMB: 0 },
      },
    ]),
  ),
  Shared: { DiskMB: 10 },
});

/** An allocation as it is shown whole: absent fields are left out, not null. */
export const allocationView = (nomad: Nomad, allocation: Allocation) => {
  const { group } = allocation;
  const status = deploymentStatus(nomad, allocation);
  return {
    AllocModifyIndex: allocation.createIndex,
    AllocatedResources: allocatedResources(allocation),
    ClientDescription: CLIENT_DESCRIPTION[allocation.client] as string,
    ClientStatus: allocation.client as string,
    CreateIndex: allocation.createIndex,
    CreateTime: nomad.timeline.nanoseconds(allocation.createdAt),
    ...(allocation.job.type === "service" ? { DeploymentID: allocation.job.deploymentId } : {}),
    ...(status ? { DeploymentStatus: status } : {}),
    DesiredStatus: allocation.desired as string,
    ...(allocation.migrate ? { DesiredTransition: transition(allocation) } : {}),
    EvalID: allocation.evalId,
    ID: allocation.id,
    Job: { ...allocation.job.spec, Version: allocation.job.version },
    JobID: allocation.job.id,
    Metrics: {},
    ModifyIndex: allocation.modifyIndex,
    ModifyTime: nomad.timeline.nanoseconds(allocation.modifiedAt),
    Name: nameOf(allocation),
    Namespace: allocation.job.spec.Namespace,
    NetworkStatus: { Address: "", AddressIPv6: "", DNS: null, InterfaceName: "" },
    ...(allocation.next === "" ? {} : { NextAllocation: allocation.next }),
    NodeID: allocation.node.id,
    NodeName: allocation.node.name,
    ...(allocation.previous === "" ? {} : { PreviousAllocation: allocation.previous }),
    Resources: { CPU: group.cpu, MemoryMB: group.memoryMb, DiskMB: 10 },
    SharedResources: { DiskMB: 10 },
    SigningKeyID: "2218057f-5d2a-755e-ea7d-6df543343732",
    TaskGroup: group.name,
    TaskResources: Object.fromEntries(
      group.taskNames.map((name) => [name, { CPU: group.cpu, MemoryMB: group.memoryMb }]),
    ),
    TaskStates: taskStates(nomad, allocation),
  };
};
