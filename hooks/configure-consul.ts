import { ConsulClient } from "../clients/consul/consul-client.js";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import { remoteServersFile, type ServersFile } from "../clients/ssh/consul-servers-file.js";
import { Ssh } from "../clients/ssh/ssh.js";
import { parseHostName } from "../cluster/address.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { UserError } from "../cluster/user-error.js";
import { localAgents, localEnvironment } from "../live/local-agents.js";
import { sshAgents, type MachineAgents } from "../live/machine-agents.js";
import { tokenRefusal } from "../live/token-refusal.js";
import { configureConsul } from "./configure-one-agent.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Writes the addresses of the Consul servers to one machine, and sees that its agent has found them. */
export async function runConfigureConsulHook(
  { env, file: { spec }, machines, clock, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  const pool = parseHostName(host)?.pool ?? "";
  const { agents, file, servers, own } = machines ? locally(host, machines, env) : remotely(env, signal);
  const cluster = await ConsulClient.fromEnvironment(own);
  try {
    const done = await configureConsul(
      {
        file,
        agent: () => agents.consul(host),
        refusalOf: (error) => tokenRefusal(error, cluster, host),
        ...{ clock, signal, say },
      },
      { host, servers, timeoutMs: gateSettingsOf(pool, spec).ready.timeoutSeconds * 1000 },
    );
    say(done);
  } finally {
    await Promise.all([agents.close(), cluster.close()]);
  }
}

interface Machine {
  readonly agents: MachineAgents;
  readonly file: ServersFile;
  readonly servers: readonly string[];
  /** The environment that its agent is asked with. */
  readonly own: HookContext["env"];
}

/** A machine of platform local, and the servers that have been started there. */
function locally(host: string, machines: LocalMachines, env: HookContext["env"]): Machine {
  const servers = machines.list().filter(({ role }) => role === "consul-server");
  const own = localEnvironment(machines, env);
  return {
    own,
    agents: localAgents(own, machines),
    file: machines.serversFile(host),
    servers: servers.map(({ address }) => address).sort(),
  };
}

function remotely(env: HookContext["env"], signal: AbortSignal): Machine {
  const { address, servers } = addressesIn(env);
  return {
    own: env,
    agents: sshAgents(env, () => Promise.resolve(address)),
    file: remoteServersFile(new Ssh({ env }), address, { signal }),
    servers,
  };
}

/** Terraform gives the addresses of the machines as they are now. */
function addressesIn(env: HookContext["env"]): { address: string; servers: string[] } {
  const [address, servers] = [env["ROLLOUT_HOST_ADDRESS"], env["ROLLOUT_CONSUL_SERVERS"]];
  if (!address || !servers) {
    throw new UserError(
      "ROLLOUT_HOST_ADDRESS and ROLLOUT_CONSUL_SERVERS are not set; Terraform sets them where it calls this hook",
      2,
    );
  }
  return { address, servers: servers.split(",") };
}
