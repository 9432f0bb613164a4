import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import type { TunnelOnDemand } from "../ssh/tunnel.js";
import type { Service } from "./service.js";

/** Where an agent's HTTP API is. */
export interface Endpoint {
  /** `https://10.0.0.1:8501`, or with a path in front of `/v1`; without a final slash. */
  readonly url: string;
  /** A Unix socket on this machine that leads there, such as the near end of a tunnel. Connected to in place of the URL's host. */
  readonly socketPath?: string;
  /** Whose agent that is, where the socket is one of this process's own. */
  readonly machine?: string;
  /** The machine whose loopback address is meant, and the way there. */
  readonly behind?: { readonly machine: string; readonly tunnel: TunnelOnDemand };
}

/** How an endpoint is named in messages. */
export function formatEndpoint({ url, socketPath, behind, machine = behind?.machine }: Endpoint): string {
  if (machine !== undefined) return `${url} of ${machine}`;
  return socketPath === undefined ? url : `unix://${socketPath}`;
}

/** Whether what is said to it is encrypted. */
export function isEncrypted({ url }: Endpoint): boolean {
  return url.startsWith("https:");
}

const ownValue = (service: Service, env: Environment): string =>
  (env[service.addressesVariable] ?? "").trim();

/** Whether a service is to be asked through tunnels to the machines: `ssh` stands in place of addresses. */
export const isBySsh = (service: Service, env: Environment): boolean => ownValue(service, env) === "ssh";

/** The variable that says where a service is. */
export const variableFor = (service: Service, env: Environment): string =>
  ownValue(service, env) === "" ? service.addressVariable : service.addressesVariable;

/**
 * The addresses in `ROLLOUT_CONSUL_ADDRS` or `ROLLOUT_NOMAD_ADDRS`, else in `CONSUL_HTTP_ADDR` or `NOMAD_ADDR`, in the order in
 * which they are tried: one, or several between commas; the agent on this machine where nothing is set.
 * `CONSUL_HTTP_SSL=true` makes Consul's encrypted, as its own tools do.
 * @throws UserError for what is no address
 */
export function readEndpoints(service: Service, env: Environment): readonly [Endpoint, ...Endpoint[]] {
  const variable = isBySsh(service, env) ? service.addressVariable : variableFor(service, env);
  const value = (env[variable] ?? "").trim();
  const encrypted = service.name === "Consul" && readFlag("CONSUL_HTTP_SSL", env) === true;
  const text = value === "" ? `127.0.0.1:${String(service.defaultPort)}` : value;
  const [first = "", ...rest] = text.split(",").map((part) => part.trim());
  const parse = (part: string) => parseEndpoint(part, { variable, encrypted, port: service.defaultPort });
  return [parse(first), ...rest.map(parse)];
}

/**
 * A variable that is true or false, in the spellings that the agents' own tools allow; undefined where it is not set.
 * @throws UserError for anything else
 */
export function readFlag(variable: string, env: Environment): boolean | undefined {
  const value = env[variable] ?? "";
  if (value === "") return undefined;
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new UserError(
    `${variable} is neither true nor false: "${value}"; set it to true or false, or unset it`,
    2,
  );
}

interface Reading {
  readonly variable: string;
  readonly encrypted: boolean;
  readonly port: number;
}

function parseEndpoint(text: string, { variable, encrypted, port }: Reading): Endpoint {
  const refuse = (why: string): UserError =>
    new UserError(
      `${variable} is no address: "${withoutSecrets(text)}" ${why}; write http://10.0.0.1:${String(port)}, https://name:${String(port)}, ` +
        `10.0.0.1:${String(port)} or unix:///path, several between commas`,
      2,
    );
  const scheme = encrypted ? "https" : "http";
  if (text === "") throw refuse("is empty");
  if (text === "ssh") throw refuse("stands alone, in ROLLOUT_CONSUL_ADDRS or ROLLOUT_NOMAD_ADDRS");
  if (text.startsWith("unix://")) {
    const socketPath = text.slice("unix://".length);
    if (!socketPath.startsWith("/")) throw refuse("names no absolute path");
    return { url: `${scheme}://localhost`, socketPath };
  }
  const full = text.includes("://") ? text : `${scheme}://${text}`;
  if (!URL.canParse(full)) throw refuse("cannot be read");
  const url = new URL(full);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refuse("is neither http nor https nor unix");
  if (url.username !== "" || url.password !== "") throw refuse("carries a user name or password");
  if (url.search !== "" || url.hash !== "") throw refuse("carries a query");
  // As Consul's own tools do: once encryption is asked for, an http:// does not take it back.
  if (encrypted) url.protocol = "https:";
  // An address with a scheme is a URL, with that scheme's port; a bare host is the agent's.
  if (!text.includes("://") && url.port === "" && !/:\d+(\/|$)/.test(text)) url.port = String(port);
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}

/** A password or a token must not get into a message, not even into the one that refuses it. */
const withoutSecrets = (text: string): string => text.replace(/[^/]*@/, "…@").replace(/[?#].*/s, "?…");
