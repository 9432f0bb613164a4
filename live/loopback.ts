import type { Environment } from "../clients/environment.js";
import { isEncrypted, readEndpoints } from "../clients/http/endpoint.js";
import type { Service } from "../clients/http/service.js";

/** Where an agent listens on its own machine. */
export interface Loopback {
  readonly url: string;
  readonly port: number;
}

/** Consul has another port for HTTPS, by custom; Nomad has one for both. */
const CONSUL_HTTPS = 8501;

/**
 * Where each machine's own agent listens: as the address for the whole cluster says, since all machines are alike. A
 * loopback address there is the near end of somebody's tunnel, whose port says nothing of the machines: then the usual one.
 */
export function loopbackOf(service: Service, env: Environment): Loopback {
  const [endpoint] = readEndpoints(service, env);
  const { hostname, port: named } = new URL(endpoint.url);
  const usual = service.name === "Consul" && isEncrypted(endpoint) ? CONSUL_HTTPS : service.defaultPort;
  const port = named === "" || isLoopback(hostname) ? usual : Number(named);
  return { url: `${isEncrypted(endpoint) ? "https" : "http"}://127.0.0.1:${String(port)}`, port };
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || host.startsWith("127.");
