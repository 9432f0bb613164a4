import { groupBy } from "../../clients/group-by.js";
import type { NomadClient } from "../../clients/nomad/nomad-client.js";
import type { Allocation, CsiVolume, Job, JobStub } from "../../clients/nomad/schemas.js";
import { isUnknown, type NomadJob, type Observed } from "../../rollout/observation/observation.js";
import { isLive } from "./allocations.js";
import { oneOf } from "./ask.js";
import { inParallel } from "./in-parallel.js";

const AT_ONCE = 8;

const TYPES = ["service", "batch", "system", "sysbatch"] as const;

/**
 * Every job. Numbers are counted for those that have, or had, work on these nodes; the others have no groups, since nobody
 * asks what became of their work and each would be a request more.
 * @param volumes every CSI volume
 */
export async function observeJobs(
  nomad: Pick<NomadClient, "job">,
  stubs: readonly JobStub[],
  nodes: ReadonlySet<string>,
  allocations: readonly Allocation[],
  volumes: Observed<readonly CsiVolume[]>,
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
    const known = isUnknown(volumes) ? [] : volumes.filter((volume) => volume.Namespace === Namespace);
    const groups = groupsOf(job, type, byJob.get(key) ?? [], known);
    const { Datacenters: datacenters, NodePool: pool } = job;
    return [{ id: ID, namespace: Namespace, type, groups, datacenters, pool }];
  });
  return jobs.flat();
}

/**
 * What a service's work says of its health comes late: until then it counts as not healthy. Where people decide on it,
 * nobody does for work that moves, so running is all that is known. Other jobs say nothing of it.
 */
function groupsOf(
  { TaskGroups, Stop, Version, Constraints: ofJob }: Job,
  type: NomadJob["type"],
  allocations: readonly Allocation[],
  known: readonly CsiVolume[],
) {
  return TaskGroups.map(({ Name, Count, Update, Migrate, Constraints, Volumes, Tasks }) => {
    const all = allocations.filter(
      ({ TaskGroup, DesiredStatus }) => TaskGroup === Name && DesiredStatus === "run",
    );
    const wanted = all.filter(({ DeploymentStatus }) => DeploymentStatus?.Canary !== true);
    const live = wanted.filter(isLive);
    const volumes = Object.values(Volumes ?? {}).filter(({ Type, PerAlloc }) => Type === "csi" && !PerAlloc);
    const running = wanted.filter(({ ClientStatus }) => ClientStatus === "running");
    const isManual = Update?.HealthCheck === "manual";
    const healthy = running.filter(({ DeploymentStatus }) => DeploymentStatus?.Healthy ?? isManual);
    return {
      name: Name,
      desired: Stop === true ? 0 : type === "system" || type === "sysbatch" ? wanted.length : Count,
      running: running.length,
      healthy: type === "service" ? healthy.length : running.length,
      isUpdating: all.length > wanted.length || live.some(({ JobVersion }) => JobVersion !== Version),
      on: live.flatMap(({ NodeID }) => NodeID ?? []),
      constraints: [...ofJob, ...Constraints, ...Tasks.flatMap((task) => task.Constraints)],
      volumes: known
        .filter(({ ID }) => volumes.some(({ Source }) => Source === ID))
        .map(({ PluginID: plugin, Topologies: topologies }) => ({ plugin, topologies })),
      maxParallel: Migrate?.MaxParallel ?? Infinity,
      killTimeoutSeconds: Math.min(...Tasks.map(({ KillTimeout = 5e9 }) => KillTimeout / 1e9)),
    };
  });
}

const keyOfWork = ({ Namespace = "default", JobID }: Allocation): string => keyOf(Namespace, JobID);

const keyOf = (namespace: string, job: string): string => JSON.stringify([namespace, job]);
