import type { Environment } from "../../clients/environment.js";
import type { LocalMachines } from "../../clients/local/machines.js";
import { UserError } from "../../spec/user-error.js";
import { AgentClients } from "./agent-clients.js";
import type { MachineAgents } from "./machine-agents.js";

/**
 * The agents of the machines of platform local, wherever each of them has been started.
 * @param env as {@link localEnvironment} gives it
 */
export function localAgents(env: Environment, machines: LocalMachines): MachineAgents {
  const clients = new AgentClients(env);
  return {
    consul: async (host) => clients.consul({ url: machines.get(host).consul }),
    nomad: async (host) => {
      const { nomad } = machines.get(host);
      if (nomad !== undefined) return clients.nomad({ url: nomad });
      throw new UserError(`no Nomad runs on ${host}`);
    },
    stopNomad: (host, signal = NEVER) => machines.stopNomad(host, signal),
    close: () => clients.close(),
  };
}

const NEVER = new AbortController().signal;

/**
 * The environment with the addresses of the machines' own servers, where it names no others. What it says of certificates
 * and tokens is for another cluster then, and must not reach this one.
 */
export function localEnvironment(machines: LocalMachines, env: Environment): Environment {
  const named = { CONSUL: Boolean(env["CONSUL_HTTP_ADDR"]), NOMAD: Boolean(env["NOMAD_ADDR"]) };
  if (named.CONSUL && named.NOMAD) return env;
  const { consul, nomad } = machines.endpoints();
  return {
    ...withoutOwn(env, [...(named.CONSUL ? [] : ["CONSUL"]), ...(named.NOMAD ? [] : ["NOMAD"])]),
    ...(named.CONSUL ? {} : { CONSUL_HTTP_ADDR: consul }),
    ...(named.NOMAD ? {} : { NOMAD_ADDR: nomad }),
  };
}

/** Without what is Consul's or Nomad's: `CONSUL_HTTP_TOKEN` and the like. */
const withoutOwn = (env: Environment, products: readonly string[]): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !products.some((product) => name.startsWith(`${product}_`))),
  );
