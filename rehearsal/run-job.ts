import { setTimeout as wait } from "node:timers/promises";
import { hostNames, type Pool } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { rehearsalJob, SERVICE } from "./job.js";
import type { Rehearsing } from "./rehearsing.js";

const EVERY_MS = 200;

/** How long the jobs may take to answer, by the cluster's clock. Milliseconds. */
const PATIENCE_MS = 180_000;

/**
 * Runs a job on each of some pools, and waits until all of their work answers.
 * @returns how many servers that is
 * @throws UserError when it takes too long, with what Consul knows by then
 */
export async function runJobs(rehearsing: Rehearsing, pools: readonly Pool[]): Promise<number> {
  const wanted = pools.flatMap(({ groups }) => groups.flatMap(hostNames)).length;
  const nomad = await rehearsing.nomad();
  const consul = await rehearsing.consul();
  const until = performance.now() + PATIENCE_MS / rehearsing.speed;
  try {
    for (const pool of pools) await nomad.register(rehearsalJob(pool));
    for (;;) {
      const passing = (await consul.passingInstances(SERVICE)).length;
      const healthy = (await nomad.allocations()).filter(
        ({ JobID, DeploymentStatus }) => JobID.startsWith(SERVICE) && DeploymentStatus?.Healthy === true,
      ).length;
      if (passing === wanted && healthy === wanted) return wanted;
      if (performance.now() > until) {
        throw new UserError(
          `the job of the rehearsal does not run: ${String(passing)} of ${String(wanted)} servers answer, ${String(healthy)} are healthy; look at Nomad with --keep`,
        );
      }
      await wait(EVERY_MS, undefined, { signal: rehearsing.stop });
    }
  } finally {
    await Promise.all([nomad.close(), consul.close()]);
  }
}
