import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import { codeOf } from "../error-code.js";
import { readFlag } from "./endpoint.js";
import type { Service } from "./service.js";

/** What encrypted connections are checked and made with, in PEM. Empty: the authorities that Node trusts, no certificate of one's own. */
export interface TlsSettings {
  readonly ca?: string[] | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the agent's certificate must bear. */
  readonly servername?: string | undefined;
}

/**
 * The agents' own variables: `CONSUL_CACERT`, `CONSUL_CAPATH`, `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY`, `CONSUL_TLS_SERVER_NAME`,
 * and the same with `NOMAD_`.
 * @throws UserError when a file cannot be read, when a certificate has no key, or when checking is switched off
 */
export async function readTls({ name }: Service, env: Environment): Promise<TlsSettings> {
  const prefix = name.toUpperCase();
  refuseUnverified(prefix, env);
  const ca = [
    ...(await readNamed(`${prefix}_CACERT`, env, readPem)),
    ...(await readNamed(`${prefix}_CAPATH`, env, readFolder)),
  ].flat();
  const [cert] = await readNamed(`${prefix}_CLIENT_CERT`, env, readPem);
  const [key] = await readNamed(`${prefix}_CLIENT_KEY`, env, readPem);
  if ((cert === undefined) !== (key === undefined)) {
    throw new UserError(
      `${prefix}_CLIENT_CERT and ${prefix}_CLIENT_KEY belong together: only ${prefix}_CLIENT_${cert === undefined ? "KEY" : "CERT"} is set; set both or neither`,
      2,
    );
  }
  return { ca: ca.length > 0 ? ca : undefined, cert, key, servername: env[`${prefix}_TLS_SERVER_NAME`] };
}

/** Whoever is in between could read the token and take the cluster apart with it. */
function refuseUnverified(prefix: string, env: Environment): void {
  const [variable, refused] =
    prefix === "CONSUL"
      ? (["CONSUL_HTTP_SSL_VERIFY", false] as const)
      : (["NOMAD_SKIP_VERIFY", true] as const);
  if (readFlag(variable, env) !== refused) return;
  throw new UserError(
    `${variable} is ${String(refused)}: an agent that is not verified would be handed the token; unset it and name the authority in ${prefix}_CACERT, ` +
      `and the name in the agent's certificate in ${prefix}_TLS_SERVER_NAME where it is not the address`,
    2,
  );
}

async function readNamed<T>(
  variable: string,
  env: Environment,
  read: (path: string) => Promise<T>,
): Promise<[] | [T]> {
  const path = env[variable] ?? "";
  if (path === "") return [];
  try {
    return [await read(path)];
  } catch (error) {
    throw new UserError(`${variable} cannot be used: ${path} (${codeOf(error)}); name ${allowed(variable)}`);
  }
}

const allowed = (variable: string): string =>
  variable.endsWith("_CAPATH") ? "a folder with PEM files" : "a readable PEM file";

async function readPem(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  if (!text.includes("-----BEGIN ")) throw new Error("no PEM");
  return text;
}

async function readFolder(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => /\.(pem|crt|cer)$/i.test(file)).sort();
  if (files.length === 0) throw new Error("no .pem, .crt or .cer file in it");
  return Promise.all(files.map((file) => readPem(join(folder, file))));
}
