import type { Allocation, NomadJob } from "../observation/observation.js";

/**
 * What is missing of the jobs that lost work with these nodes, one line a task group. "Drain complete" says nothing of
 * the replacement. Batch work ends by itself and system jobs do not move, so services alone are judged; a job that was
 * purged or stopped wants nothing.
 * @param lost allocations of the nodes that go
 */
export function notWhole(lost: readonly Allocation[], jobs: readonly NomadJob[]): string[] {
  const names = new Set(lost.map(keyOf));
  return jobs
    .filter((job) => job.type === "service" && names.has(keyOf({ namespace: job.namespace, job: job.id })))
    .flatMap((job) =>
      job.groups
        .filter(({ desired, running, healthy }) => running < desired || healthy < desired)
        .map(
          ({ name, desired, running, healthy }) =>
            `${job.namespace}/${job.id}.${name}: ${String(running)} of ${String(desired)} running, ${String(healthy)} healthy`,
        ),
    )
    .sort();
}

const keyOf = ({ namespace, job }: { readonly namespace: string; readonly job: string }): string =>
  JSON.stringify([namespace, job]);
