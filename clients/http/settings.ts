import type { Environment } from "../environment.js";
import { type Endpoint, isEncrypted, readEndpoints, variableFor } from "./endpoint.js";
import type { Service } from "./service.js";
import { readTls, type TlsSettings } from "./tls.js";
import { readToken, type Token } from "./token.js";

/** Who asks and how connections are made: what the environment says of one service, apart from addresses. */
export interface Access {
  readonly token?: Token | undefined;
  readonly tls?: TlsSettings | undefined;
  /** Nomad's region, where it is not that of the agent. */
  readonly region?: string | undefined;
}

export interface Settings {
  readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  readonly access: Access;
  /** The variable that is to be checked where nobody answers. @default the service's own */
  readonly variable?: string;
}

/**
 * What the agents' own variables say. Those for encryption are looked at only when an address is encrypted.
 * @param at in place of the addresses in the environment, where there are any
 * @throws UserError naming the variable that cannot be used
 */
export async function readSettings(
  service: Service,
  env: Environment = process.env,
  ...[first, ...rest]: readonly Endpoint[]
): Promise<Settings> {
  const endpoints = first === undefined ? readEndpoints(service, env) : ([first, ...rest] as const);
  const token = await readToken(service, env);
  const tls = endpoints.some(isEncrypted) ? await readTls(service, env) : undefined;
  const { NOMAD_REGION: region = "" } = env;
  return {
    endpoints,
    variable: variableFor(service, env),
    access: { token, tls, region: service.name === "Nomad" && region !== "" ? region : undefined },
  };
}
