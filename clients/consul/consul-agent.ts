import type { Environment } from "../environment.js";
import type { Endpoint } from "../http/endpoint.js";
import type { Call, HttpOptions } from "../http/http-client.js";
import { CONSUL } from "../http/service.js";
import { readSettings, type Settings } from "../http/settings.js";
import { ConsulBase } from "./base.js";
import { WrongAgentError } from "./errors.js";
import { AGENT_READ, AGENT_WRITE } from "./permissions.js";
import { Self } from "./schemas.js";

/** A leave answers after 13.5 s (server), 3.5 s (client), 17 s without a leader. */
const LEAVE_TIMEOUT = 30;

/**
 * One machine's own Consul agent. It has exactly one address, because what is asked of it another agent must never do in
 * its place.
 */
export class ConsulAgent extends ConsulBase {
  constructor(
    readonly endpoint: Endpoint,
    access: Settings["access"] = {},
    options?: HttpOptions,
  ) {
    super({ endpoints: [endpoint], access }, options);
  }

  /**
   * The agent behind an address or a tunnel, with the token and certificates that the environment names.
   * @throws UserError naming the variable that cannot be used
   */
  static async at(endpoint: Endpoint, env?: Environment): Promise<ConsulAgent> {
    const { access } = await readSettings(CONSUL, env, endpoint);
    return new ConsulAgent(endpoint, access);
  }

  /** Who this agent is, answered without the servers. */
  async self(signal?: AbortSignal): Promise<Self> {
    return this.ask({ path: "/v1/agent/self", permission: AGENT_READ, signal }, Self);
  }

  /**
   * Makes this agent leave the cluster, gracefully, and end. Done when this returns, but for the process, which ends half a
   * second later. An {@link UnreachableError} that says `wasSent` leaves it open: look at the members.
   * @param node the name of the machine that is meant
   * @throws WrongAgentError, before anything is done, where another machine's agent answers
   */
  async leave(node: string, signal?: AbortSignal): Promise<void> {
    const { Config } = await this.self(signal);
    if (Config.NodeName !== node) throw new WrongAgentError(node, Config.NodeName, this.endpoint.url);
    await this.#put("/v1/agent/leave", { timeout: LEAVE_TIMEOUT, signal });
  }

  /** Lets this agent join the cluster through another; frees at once one that knows no server. */
  async join(address: string): Promise<void> {
    await this.#put(`/v1/agent/join/${encodeURIComponent(address)}`, { repeatable: true });
  }

  /**
   * Lets this agent read its configuration again. Services and node meta take effect, `retry_join` does not.
   * @throws AnswerError with what is wrong with the configuration; the agent goes on with the old one
   */
  async reload(): Promise<void> {
    await this.#put("/v1/agent/reload", { repeatable: true });
  }

  async #put(path: string, rest: Omit<Call, "path">): Promise<void> {
    await this.http.tell({ method: "PUT", path, permission: AGENT_WRITE, ...rest });
  }
}
