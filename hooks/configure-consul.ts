import { ConsulClient } from "../clients/consul/consul-client.js";
import { CONSUL } from "../clients/http/service.js";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import { parseHostName } from "../cluster/address.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { UserError } from "../cluster/user-error.js";
import { localAgents, localEnvironment } from "../live/local-agents.js";
import type { LiveCluster } from "../live/live-cluster.js";
import { ask } from "../live/observe/ask.js";
import { inParallel } from "../live/observe/in-parallel.js";
import { AT_ONCE } from "../live/observe/server-lists.js";
import { sshAgents } from "../live/machine-agents.js";
import { tunnelsTo } from "../live/tunnels.js";
import { tokenRefusal } from "../live/token-refusal.js";
import { isUnknown, type Observation, type ServerList } from "../rollout/observation/observation.js";
import { consulServersIn, listObjection } from "../rollout/server-lists.js";
import { configureConsul, type ConfigureConsulArgs } from "./configure-one-agent.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Writes the addresses of the Consul servers to one machine, and sees that its agent has found them. */
export async function runConfigureConsulHook(
  { env, file: { spec }, machines, clock, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  const pool = parseHostName(host)?.pool ?? "";
  const { agents, servers, own, tunnels } = machines ? locally(machines, env) : remotely(env);
  const consul = await ConsulClient.fromEnvironment(own, ...tunnels);
  const timeoutMs = gateSettingsOf(pool, spec).ready.timeoutSeconds * 1000;
  try {
    await configure({ cluster: { agents, consul }, clock, say, signal }, { host, servers, timeoutMs });
  } finally {
    await Promise.all([agents.close(), consul.close()]);
  }
}

interface ConfigureDeps extends Pick<HookContext, "clock" | "say" | "signal"> {
  readonly cluster: Pick<LiveCluster, "agents" | "consul">;
}

/** Does the same for each machine whose own list is wrong. @returns the lists as they are then, unknown where that failed */
export async function configureWrong(deps: ConfigureDeps, observation: Observation): Promise<ServerList[]> {
  const servers = consulServersIn(observation);
  const lists = await inParallel(observation.lists ?? [], AT_ONCE, async (list) => {
    const { host } = list;
    if (isUnknown(list.servers) || !listObjection(list, observation)) return list;
    return { host, servers: await ask(() => configure(deps, { host, servers, timeoutMs: MEND_MS })) };
  });
  deps.signal.throwIfAborted();
  return lists;
}

/** For a machine that answered a moment ago. */
const MEND_MS = 60_000;

async function configure(
  { cluster: { agents, consul }, ...deps }: ConfigureDeps,
  args: ConfigureConsulArgs,
): Promise<readonly string[]> {
  const { host, servers } = args;
  const file = await agents.serversFile(host, deps.signal);
  const agent = () => agents.consul(host);
  const refusalOf = (error: UserError) => tokenRefusal(error, consul, host);
  deps.say(await configureConsul({ ...deps, file, agent, refusalOf }, args));
  return servers;
}

/** A machine of platform local, and the servers that have been started there. */
function locally(machines: LocalMachines, env: HookContext["env"]) {
  const servers = machines.list().filter(({ role }) => role === "consul-server");
  const own = localEnvironment(machines, env);
  const agents = localAgents(own, machines);
  return { own, agents, servers: servers.map(({ address }) => address).sort(), tunnels: [] };
}

/** Terraform gives the addresses of the machines as they are now. */
function remotely(own: HookContext["env"]) {
  const [address, servers] = [own["ROLLOUT_HOST_ADDRESS"], own["ROLLOUT_CONSUL_SERVERS"]];
  if (address && servers) {
    const all = servers.split(",");
    // The machine's own agent may know nothing yet.
    const others = all.filter((each) => each !== address);
    const tunnels = tunnelsTo(CONSUL, own, others, (server) => Promise.resolve(server));
    return { own, agents: sshAgents(own, () => Promise.resolve(address)), servers: all, tunnels };
  }
  throw new UserError(
    "ROLLOUT_HOST_ADDRESS and ROLLOUT_CONSUL_SERVERS are not set; Terraform sets them where it calls this hook",
    2,
  );
}
