import { Agent } from "undici";
import type { Endpoint } from "./endpoint.js";
import type { TlsSettings } from "./tls.js";

/** How connections to one address are made. */
export interface Connection {
  readonly endpoint: Endpoint;
  /**
   * Makes a connection for one request.
   * @param isKept takes one that is open already, if there is one
   * @throws UserError where the tunnel that leads there does not open
   */
  agent(isKept: boolean): Promise<Agent>;
  close(): Promise<void>;
}

/** @param timeout for a connection to stand, in milliseconds */
export function connectionTo(endpoint: Endpoint, tls: TlsSettings, timeout: number): Connection {
  const { socketPath: fixed, behind } = endpoint;
  const agentAt = (socketPath: string | undefined, more: Agent.Options = {}): Agent => {
    const connect = { timeout, socketPath: socketPath ?? null, ...tls, rejectUnauthorized: true };
    // The time for an answer is kept by `exchange`, which knows how long the request may take.
    return new Agent({ connect, connections: 8, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, ...more });
  };
  let kept = { socketPath: fixed, agent: agentAt(fixed) };
  return {
    endpoint,
    agent: async (isKept) => {
      const socketPath = behind ? await behind.tunnel.socketPath() : fixed;
      if (!isKept) return agentAt(socketPath, { keepAliveTimeout: 1 });
      // A tunnel that has been opened again has another socket.
      if (socketPath !== kept.socketPath) {
        void kept.agent.destroy();
        kept = { socketPath, agent: agentAt(socketPath) };
      }
      return kept.agent;
    },
    close: async () => {
      await kept.agent.destroy();
      await behind?.tunnel.close();
    },
  };
}

const REASONS = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  // The same, met by who still writes.
  ["EPIPE", "connection reset"],
  ["EHOSTUNREACH", "no way to the host"],
  ["ENOENT", "no such socket"],
  ["ENOTFOUND", "no such host"],
  ["UND_ERR_CONNECT_TIMEOUT", "no connection in time"],
  ["UND_ERR_SOCKET", "the connection ended before the answer"],
]);

/** Why a connection brought no answer, by the code of its error; undefined for one that is not known here. */
export const noAnswer = (code: string): string | undefined => REASONS.get(code);
