import type { ConsulAgent } from "../clients/consul/consul-agent.js";
import type { Environment } from "../clients/environment.js";
import type { Endpoint } from "../clients/http/endpoint.js";
import { CONSUL, NOMAD } from "../clients/http/service.js";
import { remoteServersFile, type ServersFile } from "../clients/ssh/consul-servers-file.js";
import { Ssh } from "../clients/ssh/ssh.js";
import { openTunnel, TunnelOnDemand } from "../clients/ssh/tunnel.js";
import type { NomadClient } from "../clients/nomad/nomad-client.js";
import { UserError } from "../cluster/user-error.js";
import { AgentClients } from "./agent-clients.js";
import { loopbackOf, type Loopback } from "./loopback.js";

/** What only a machine's own agent can do or say. A host is a name such as `broker-0-1`. */
export interface MachineAgents {
  consul(host: string): Promise<ConsulAgent>;
  /** That machine's own Nomad agent. */
  nomad(host: string): Promise<NomadClient>;
  /** Stops the machine's Nomad server, which makes it leave: Nomad has no API for that. @throws UserError */
  stopNomad(host: string, signal: AbortSignal): Promise<void>;
  /** Its list of Consul servers. */
  serversFile(host: string, signal: AbortSignal): Promise<ServersFile>;
  close(): Promise<void>;
}

/** A server that leaves takes seconds; systemd itself gives up after 90 s. */
const STOP_TIMEOUT_MS = 100_000;

/**
 * The agents behind `ssh`: a tunnel to each agent's loopback port, opened when it is first asked for and again when it has
 * broken or the machine has another address. They take the tokens and certificates of the environment.
 * @param addressOf where ssh is to go for a host
 */
export function sshAgents(env: Environment, addressOf: (host: string) => Promise<string>): MachineAgents {
  const ssh = new Ssh({ env });
  const clients = new AgentClients(env);
  const tunnels = new Map<string, TunnelOnDemand>();

  const endpoint = async (host: string, { url, port }: Loopback): Promise<Endpoint> => {
    const address = await addressOf(host);
    const key = JSON.stringify([address, port]);
    const tunnel = tunnels.get(key) ?? new TunnelOnDemand(() => openTunnel(ssh, address, port));
    tunnels.set(key, tunnel);
    return { url, socketPath: await tunnel.socketPath(), machine: host };
  };

  return {
    consul: async (host) => clients.consul(await endpoint(host, loopbackOf(CONSUL, env))),
    nomad: async (host) => clients.nomad(await endpoint(host, loopbackOf(NOMAD, env))),
    stopNomad: async (host, signal) => {
      const { exitCode, stderr } = await ssh.run(
        await addressOf(host),
        ["sudo", "-n", "systemctl", "stop", "nomad"],
        { timeoutMs: STOP_TIMEOUT_MS, signal },
      );
      if (exitCode === 0) return;
      const said = stderr.replace(/\s+/g, " ").trim().slice(0, 300) || "nothing";
      throw new UserError(
        `Nomad was not stopped: ${host}: "systemctl stop nomad" by sudo ended with ${String(exitCode)} and said: ${said}; see that the login may run it (docs/image.md, "Login and rights")`,
      );
    },
    serversFile: async (host, signal) => remoteServersFile(ssh, await addressOf(host), { signal }),
    close: async () => {
      await clients.close();
      await Promise.all([...tunnels.values()].map((tunnel) => tunnel.close()));
    },
  };
}
