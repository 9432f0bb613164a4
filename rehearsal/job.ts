import { setTimeout as wait } from "node:timers/promises";
import { hostNames, type Pool } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import type { Rehearsing } from "./rehearsing.js";

/** The service that the load asks. */
export const SERVICE = "rollout-rehearsal";

const SECOND = 1e9;

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

/**
 * A job whose work fills a pool: one server a machine, all of one service. Where work moves, they may be anywhere in the
 * pool; where it is bound to its data volume, each stays on its machine.
 */
export function rehearsalJob({ name, workload, groups }: Pool) {
  const hosts = groups.flatMap(hostNames);
  return {
    ID: `${SERVICE}-${name}`,
    Name: `${SERVICE}-${name}`,
    Type: "service",
    Datacenters: ["*"],
    Constraints: [{ LTarget: "${meta.rollout_pool}", Operand: "=", RTarget: name }],
    Spreads: [{ Attribute: "${node.unique.id}", Weight: 100 }],
    TaskGroups:
      workload === "moves"
        ? [taskGroup("server", hosts.length)]
        : hosts.map((host) => ({
            ...taskGroup(host, 1),
            Constraints: [{ LTarget: "${node.unique.name}", Operand: "=", RTarget: host }],
          })),
  };
}

function taskGroup(name: string, count: number) {
  return {
    Name: name,
    Count: count,
    Migrate: {
      MaxParallel: 1,
      HealthCheck: "checks",
      MinHealthyTime: 5 * SECOND,
      HealthyDeadline: 60 * SECOND,
    },
    Networks: [{ Mode: "host", DynamicPorts: [{ Label: "http" }] }],
    Services: [
      {
        Name: SERVICE,
        PortLabel: "http",
        Provider: "consul",
        Checks: [{ Name: "answers", Type: "http", Path: "/", Interval: SECOND, Timeout: SECOND }],
      },
    ],
    Tasks: [
      {
        Name: "server",
        Driver: "raw_exec",
        Config: { command: process.execPath, args: ["-e", SERVER] },
        Resources: { CPU: 50, MemoryMB: 64 },
        // Out of Consul first: who has just looked it up is still answered.
        ShutdownDelay: 2 * SECOND,
        KillTimeout: 10 * SECOND,
      },
    ],
  };
}

/** The whole of the server: it answers, and ends when it is told to. */
const SERVER = `
require("node:http")
  .createServer((request, response) => response.end(process.env.NOMAD_ALLOC_ID + "\\n"))
  .listen(Number(process.env.NOMAD_PORT_http), process.env.NOMAD_IP_http);
process.once("SIGINT", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
`;
