import type { Environment } from "../clients/environment.js";
import { localMachines, type LocalMachine, type LocalMachines } from "../clients/local-machines/machines.js";
import { localSettingsOf } from "../cluster/local-agents.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { AgentClients } from "./agent-clients.js";
import type { MachineAgents } from "./machine-agents.js";

/** The machines of a cluster on platform local; undefined where the spec wants no agents on them, and elsewhere. */
export const machinesOf = (spec: Spec, runFolder: string): LocalMachines | undefined =>
  localSettingsOf(spec).agents === "none" ? undefined : localMachines(runFolder);

/** What has to be known of the machines to ask their agents. */
export interface AgentsOfMachines extends Pick<LocalMachines, "stopNomad" | "serversFile"> {
  get(host: string): Pick<LocalMachine, "consul" | "nomad">;
}

/**
 * The agents of the machines of platform local, wherever each of them has been started.
 * @param env as {@link localEnvironment} gives it
 */
export function localAgents(env: Environment, machines: AgentsOfMachines): MachineAgents {
  const clients = new AgentClients(env);
  return {
    consul: async (host) => clients.consul({ url: machines.get(host).consul }),
    nomad: async (host) => {
      const { nomad } = machines.get(host);
      if (nomad !== undefined) return clients.nomad({ url: nomad });
      throw new UserError(`no Nomad runs on ${host}`);
    },
    stopNomad: (host, signal) => machines.stopNomad(host, signal),
    serversFile: (host) => Promise.resolve(machines.serversFile(host)),
    close: () => clients.close(),
  };
}

/**
 * The environment with the addresses of the machines' own servers. What it says itself of Consul and Nomad is of another
 * cluster, perhaps the one that this is a rehearsal of, with groups of the same names: it must not be asked or told
 * anything, and its tokens must not come here.
 */
export function localEnvironment(machines: LocalMachines, env: Environment): Environment {
  const { consul, nomad } = machines.endpoints();
  const others = Object.entries(env).filter(([name]) => !/^(ROLLOUT_)?(CONSUL|NOMAD)_/.test(name));
  return { ...Object.fromEntries(others), CONSUL_HTTP_ADDR: consul, NOMAD_ADDR: nomad };
}
