import { stripVTControlCharacters } from "node:util";
import type { Environment } from "./environment.js";

/**
 * What Terraform says first in an error, on one line: without colours, boxes and the explanations that follow. Empty when
 * nothing was printed. Only for people: no decision hangs on it.
 */
export function firstError(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split(/\r?\n/)
    .map((line) => line.replace(/^[╷│╵]/, "").trim());
  const start = lines.findIndex((line) => /^(Error: |Failed to )/.test(line));
  const [first = "", second = ""] = paragraphs(start === -1 ? lines : lines.slice(start));
  const text = first.replace(/^Error: /, "");
  return (text.endsWith(":") ? `${text} ${second}` : text).trim().replace(/\.$/, "");
}

/**
 * Takes the values of secret variables out of a text, whoever put them there.
 * @param env the variables that the printing process had
 */
export function withoutSecrets(text: string, env: Environment): string {
  return Object.entries(env)
    .filter(
      ([name, value = ""]) => /SECRET|TOKEN|PASSWORD|ACCESS_KEY|ENCRYPTION/.test(name) && value.length > 5,
    )
    .reduce((clean, [name, value = ""]) => clean.replaceAll(value, `(${name})`), text);
}

function paragraphs(lines: readonly string[]): string[] {
  return lines
    .join("\n")
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.trim().replaceAll("\n", " "))
    .filter((paragraph) => paragraph !== "");
}
