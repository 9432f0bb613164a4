import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import { codeOf } from "../error-code.js";
import type { Service } from "./service.js";

/** An ACL token. It shows itself nowhere: not when printed, inspected, or turned into JSON or text. */
export class Token {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** For the header of a request, and for nothing else. */
  reveal(): string {
    return this.#secret;
  }

  toString(): string {
    return "[token]";
  }

  toJSON(): string {
    return "[token]";
  }

  [inspect.custom](): string {
    return "[token]";
  }
}

/**
 * The token that the environment names; undefined where there is none. `CONSUL_HTTP_TOKEN_FILE` goes before
 * `CONSUL_HTTP_TOKEN`, as in Consul's own tools.
 * @throws UserError when the file cannot be read, or when what is there cannot be a token; the token is not shown
 */
export async function readToken(service: Service, env: Environment): Promise<Token | undefined> {
  const fileVariable = "CONSUL_HTTP_TOKEN_FILE";
  const file = service.name === "Consul" ? (env[fileVariable] ?? "") : "";
  if (file === "") return tokenOf((env[service.tokenVariable] ?? "").trim(), service.tokenVariable);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError(
      `${fileVariable} cannot be read: ${file} (${codeOf(error)}); name a file that holds nothing but the token`,
    );
  });
  const token = tokenOf(text.trim(), `${fileVariable} (${file})`);
  if (token === undefined)
    throw new UserError(`${fileVariable} names an empty file: ${file}; write the token into it, or unset it`);
  return token;
}

function tokenOf(secret: string, origin: string): Token | undefined {
  if (secret === "") return undefined;
  if (/^[\x21-\x7e]{1,4096}$/.test(secret)) return new Token(secret);
  throw new UserError(
    `${origin} is no token: it has spaces, line breaks or other characters that no token has; set it to the token alone`,
  );
}
