import { ConsulAgent } from "../clients/consul/consul-agent.js";
import type { Environment } from "../clients/environment.js";
import type { Endpoint } from "../clients/http/endpoint.js";
import { NomadClient } from "../clients/nomad/nomad-client.js";

/** Clients of single agents, one for each endpoint, so that their connections are kept open from one look to the next. */
export class AgentClients {
  readonly #consul = new Map<string, Promise<ConsulAgent>>();
  readonly #nomad = new Map<string, Promise<NomadClient>>();

  constructor(private readonly env: Environment) {}

  consul(endpoint: Endpoint): Promise<ConsulAgent> {
    return kept(this.#consul, endpoint, () => ConsulAgent.at(endpoint, this.env));
  }

  nomad(endpoint: Endpoint): Promise<NomadClient> {
    return kept(this.#nomad, endpoint, () => NomadClient.fromEnvironment(this.env, endpoint));
  }

  async close(): Promise<void> {
    const clients = [...this.#consul.values(), ...this.#nomad.values()];
    for (const client of await Promise.allSettled(clients)) {
      if (client.status === "fulfilled") await client.value.close();
    }
  }
}

function kept<T>(clients: Map<string, Promise<T>>, endpoint: Endpoint, make: () => Promise<T>): Promise<T> {
  const key = JSON.stringify([endpoint.url, endpoint.socketPath]);
  const client = clients.get(key) ?? make();
  clients.set(key, client);
  return client;
}
