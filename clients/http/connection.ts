import { Agent } from "undici";
import { type Endpoint, isEncrypted } from "./endpoint.js";
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
  const serverName = endpoint.serverName ?? tls.serverName;
  const connect = {
    timeout,
    ...(endpoint.socketPath === undefined ? {} : { socketPath: endpoint.socketPath }),
    ...(isEncrypted(endpoint) ? { ...credentials(tls), rejectUnauthorized: true } : {}),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  // The time for an answer is kept by `exchange`, which knows how long the request may take.
  const options = { connect, connections: 8, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
  return { endpoint, kept: new Agent(options), fresh: () => new Agent({ ...options, keepAliveTimeout: 1 }) };
}

const credentials = ({ ca, cert, key }: TlsSettings) => ({
  ...(ca === undefined ? {} : { ca: [...ca] }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
});
