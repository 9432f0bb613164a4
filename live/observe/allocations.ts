import type { Allocation as Answer, NodeStub } from "../../clients/nomad/schemas.js";
import { isHostOf } from "../../rollout/observation/host-of.js";
import type { Allocation } from "../../rollout/observation/observation.js";
import { oneOf } from "./ask.js";

/** The nodes of a group, dead records of the same names included. */
export const groupNodeIds = (nodes: readonly NodeStub[], group: string): ReadonlySet<string> =>
  new Set(nodes.filter(({ Name }) => isHostOf(group, Name)).map(({ ID }) => ID));

/** What these nodes have, finished ones included. */
export const allocationsOn = (nodes: ReadonlySet<string>, all: readonly Answer[]): Allocation[] =>
  all.filter(({ NodeID = "" }) => nodes.has(NodeID)).map(allocationOf);

const CLIENT_STATES = ["pending", "running", "complete", "failed", "lost", "unknown"] as const;
const DESIRED_STATES = ["run", "stop", "evict"] as const;

/** `since` is when the servers heard of it last: an allocation that does not change is not heard of. */
function allocationOf(answer: Answer): Allocation {
  const { ID, NodeID = "", JobID, Namespace = "default", TaskGroup = "", ModifyTime = 0 } = answer;
  const healthy = answer.DeploymentStatus?.Healthy;
  return {
    id: ID,
    node: NodeID,
    job: JobID,
    namespace: Namespace,
    taskGroup: TaskGroup,
    clientStatus: oneOf(CLIENT_STATES, answer.ClientStatus, `the state of the allocation ${ID}`),
    desiredStatus: oneOf(DESIRED_STATES, answer.DesiredStatus, `the desired state of the allocation ${ID}`),
    ...(typeof healthy === "boolean" ? { healthy } : {}),
    ...(answer.DeploymentStatus?.Canary === true ? { isCanary: true } : {}),
    ...(answer.AllocatedResources ? { used: usedBy([answer]) } : {}),
    since: Math.floor(ModifyTime / 1e6),
  };
}

/** What allocations were given, all together. */
export function usedBy(allocations: readonly Answer[]): NonNullable<Allocation["used"]> {
  const tasks = allocations.flatMap((one) => Object.values(one.AllocatedResources?.Tasks ?? {}));
  return {
    cpuMhz: tasks.reduce((sum, { Cpu }) => sum + Cpu.CpuShares, 0),
    memoryMb: tasks.reduce((sum, { Memory }) => sum + Memory.MemoryMB, 0),
  };
}

/** Whether it takes up room on its node. */
export const isLive = ({ ClientStatus, DesiredStatus }: Answer): boolean =>
  ClientStatus === "running" ||
  ClientStatus === "unknown" ||
  (ClientStatus === "pending" && DesiredStatus === "run");
