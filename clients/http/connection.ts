import { Agent } from "undici";
import type { Endpoint } from "./endpoint.js";
import type { TlsSettings } from "./tls.js";

/** How connections to one address are made. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Takes a connection that is open already, if there is one. */
  readonly kept: Agent;
  /** Makes a connection for one request. */
  fresh(): Agent;
}

/** @param timeout for a connection to stand, in milliseconds */
export function connectionTo(endpoint: Endpoint, tls: TlsSettings, timeout: number): Connection {
  const { socketPath = null } = endpoint;
  const connect = { timeout, socketPath, ...tls, rejectUnauthorized: true };
  // The time for an answer is kept by `exchange`, which knows how long the request may take.
  const options = { connect, connections: 8, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
  return { endpoint, kept: new Agent(options), fresh: () => new Agent({ ...options, keepAliveTimeout: 1 }) };
}

const REASONS = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["EHOSTUNREACH", "no way to the host"],
  ["ENOENT", "no such socket"],
  ["ENOTFOUND", "no such host"],
  ["UND_ERR_CONNECT_TIMEOUT", "no connection in time"],
  ["UND_ERR_SOCKET", "the connection ended before the answer"],
]);

/** Why a connection brought no answer, by the code of its error; undefined for one that is not known here. */
export const noAnswer = (code: string): string | undefined => REASONS.get(code);
