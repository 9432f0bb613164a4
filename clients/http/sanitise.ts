import type { Token } from "./token.js";

/** Longer texts of an agent say no more: a page of a proxy, a dump. */
const MOST_CHARACTERS = 300;

/** The text of somebody else's error, fit for a message: one line, cut, and without the token should it have been sent back. */
export function sanitise(text: string, token?: Token): string {
  const secret = token?.reveal();
  const silent = secret === undefined ? text : text.replaceAll(secret, "[token]");
  const line = silent.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}
