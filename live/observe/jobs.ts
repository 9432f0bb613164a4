import { groupBy } from "../../clients/group-by.js";
import type { NomadClient } from "../../clients/nomad/nomad-client.js";
import type { Allocation, Job, JobStub } from "../../clients/nomad/schemas.js";
import type { NomadJob } from "../../rollout/observation/observation.js";
import { oneOf } from "./ask.js";
import { inParallel } from "./in-parallel.js";

const AT_ONCE = 8;

const TYPES = ["service", "batch", "system", "sysbatch"] as const;

/**
 * Every job. Numbers are counted for those that have, or had, work on these nodes; the others have no groups, since nobody
 * asks what became of their work and each would be a request more.
 */
export async function observeJobs(
  nomad: Pick<NomadClient, "job">,
  stubs: readonly JobStub[],
  nodes: ReadonlySet<string>,
  allocations: readonly Allocation[],
): Promise<NomadJob[]> {
  const here = new Set(allocations.filter(({ NodeID = "" }) => nodes.has(NodeID)).map(keyOfWork));
  const byJob = groupBy(allocations, keyOfWork);
  const jobs = await inParallel(stubs, AT_ONCE, async ({ ID, Namespace = "default", Type }) => {
    const type = oneOf(TYPES, Type, `the type of the job ${ID}`);
    const key = keyOf(Namespace, ID);
    if (!here.has(key)) return [{ id: ID, namespace: Namespace, type, groups: [] }];
    const job = await nomad.job(ID, Namespace);
    // Purged since it was listed.
    if (job === undefined) return [];
    return [{ id: ID, namespace: Namespace, type, groups: groupsOf(job, type, byJob.get(key) ?? []) }];
  });
  return jobs.flat();
}

/**
 * What a service's work says of its health comes late: until then it counts as not healthy. Where people decide on it,
 * nobody does for work that moves, so running is all that is known. Other jobs say nothing of it.
 */
function groupsOf({ TaskGroups, Stop }: Job, type: NomadJob["type"], allocations: readonly Allocation[]) {
  return TaskGroups.map(({ Name, Count, Update }) => {
    const wanted = allocations.filter(
      ({ TaskGroup, DesiredStatus, DeploymentStatus }) =>
        TaskGroup === Name && DesiredStatus === "run" && DeploymentStatus?.Canary !== true,
    );
    const running = wanted.filter(({ ClientStatus }) => ClientStatus === "running");
    const isManual = Update?.HealthCheck === "manual";
    const healthy = running.filter(({ DeploymentStatus }) => DeploymentStatus?.Healthy ?? isManual);
    return {
      name: Name,
      desired: Stop === true ? 0 : type === "system" || type === "sysbatch" ? wanted.length : Count,
      running: running.length,
      healthy: type === "service" ? healthy.length : running.length,
    };
  });
}

const keyOfWork = ({ Namespace = "default", JobID }: Allocation): string => keyOf(Namespace, JobID);

const keyOf = (namespace: string, job: string): string => JSON.stringify([namespace, job]);
