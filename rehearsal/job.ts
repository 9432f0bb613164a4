import { hostNames, type Pool } from "../cluster/groups.js";

/** The service that the load asks. */
export const SERVICE = "rollout-rehearsal";

const SECOND = 1e9;

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
        KillTimeout: 5 * SECOND,
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
