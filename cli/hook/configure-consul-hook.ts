import { ConsulClient } from "../../clients/consul/consul-client.js";
import { remoteServersFile } from "../../clients/machine/consul-servers-file.js";
import { Ssh } from "../../clients/machine/ssh.js";
import { parseHostName } from "../../spec/address.js";
import { gateSettingsOf } from "../../spec/gate-settings.js";
import { UserError } from "../../spec/user-error.js";
import { sshAgents } from "../cluster/machine-agents.js";
import { tokenRefusal } from "../cluster/token-refusal.js";
import { configureConsul, describeConfigured } from "../configure-consul.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Writes the addresses of the Consul servers to one machine, and sees that its agent has found them. */
export async function runConfigureConsulHook(
  { env, file: { spec }, clock, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  if (spec.platform === "local") {
    say(`${host}: nothing to do: machines of platform local are told by their start`);
    return;
  }
  const { address, servers } = addressesIn(env);
  const pool = parseHostName(host)?.pool ?? "";
  const agents = sshAgents(env, () => Promise.resolve(address));
  const cluster = await ConsulClient.fromEnvironment(env);
  try {
    const report = await configureConsul(
      {
        file: remoteServersFile(new Ssh({ env }), address, { signal }),
        agent: {
          reload: async () => (await agents.consul(host)).reload(),
          join: async (server) => (await agents.consul(host)).join(server),
          members: async () =>
            (await (await agents.consul(host)).members(signal)).map(({ Name, Addr, Status }) => ({
              name: Name,
              address: Addr,
              status: Status,
            })),
          leader: async () => {
            const { endpoint } = await agents.consul(host);
            const consul = await ConsulClient.at(endpoint, env);
            return (await consul.leader().finally(() => consul.close())) ?? "";
          },
        },
        refusalOf: (error) => tokenRefusal(error, cluster, host),
        now: clock.now,
        pause: (ms) => clock.pause(ms, signal),
        onWait: (reason) => {
          say(`waiting: ${reason}`);
        },
      },
      { host, servers, timeoutMs: gateSettingsOf(pool, spec).ready.timeoutSeconds * 1000 },
    );
    say(describeConfigured(report));
  } finally {
    await Promise.all([agents.close(), cluster.close()]);
  }
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
