import { UnreachableError } from "../../clients/http/errors.js";
import type { Self as NomadSelf } from "../../clients/nomad/schemas.js";
import type { AgentSelf, Observed } from "../../rollout/observation/observation.js";
import type { Role } from "../../cluster/groups.js";
import { UserError } from "../../cluster/user-error.js";
import { ask } from "./ask.js";
import { inParallel } from "./in-parallel.js";
import type { MachineAgents } from "../machine-agents.js";

/** Each may be two tunnels. */
const AT_ONCE = 16;

/** Who the agents of these hosts say that they are. */
export function observeAgents(
  agents: MachineAgents,
  hosts: readonly string[],
  role: Role,
): Promise<AgentSelf[]> {
  return inParallel(hosts, AT_ONCE, async (host) => {
    const [consul, nomad] = await Promise.all([
      ask(() => unlessStopped(consulOf(agents, host))),
      role === "consul-server"
        ? { unknown: "a machine of this kind has no Nomad agent" }
        : ask(() => unlessStopped(nomadOf(agents, host))),
    ]);
    return { host, consul, nomad };
  });
}

async function consulOf(agents: MachineAgents, host: string): Promise<{ readonly nodeId: string }> {
  const { Config } = await (await agents.consul(host)).self();
  meant(host, Config.NodeName, "Consul");
  return { nodeId: Config.NodeID };
}

async function nomadOf(agents: MachineAgents, host: string): Promise<{ readonly id: string }> {
  const self = await (await agents.nomad(host)).self();
  meant(host, self.config.NodeName ?? "", "Nomad");
  return { id: idOf(self, host) };
}

/** Of a server its id in raft, of a client its node's. */
function idOf({ config, member, stats }: NomadSelf, host: string): string {
  const client = stats?.["client"];
  const id =
    config.Server?.Enabled === true
      ? member?.Tags["id"]
      : typeof client === "object" && client !== null && "node_id" in client
        ? client.node_id
        : undefined;
  if (typeof id === "string" && id !== "") return id;
  throw new UserError(`the Nomad agent on ${host} does not say its id`);
}

/** A name that another machine's agent answers to is a wrong address, or a tunnel to the wrong machine. */
function meant(host: string, found: string, product: string): void {
  if (found === host) return;
  throw new UserError(
    `the ${product} agent at the address of ${host} calls itself ${found}; correct its address or its name`,
  );
}

/**
 * Nobody listens. Behind a tunnel that looks like a connection that is cut, which a running agent never does three times in
 * a row.
 */
async function unlessStopped<T>(asked: Promise<T>): Promise<Observed<T | "stopped">> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof UnreachableError && error.tries.every(({ reason }) => CUT.has(reason)))
      return "stopped";
    throw error;
  }
}

const CUT: ReadonlySet<string> = new Set([
  "connection refused",
  "connection reset",
  "the connection ended before the answer",
]);
