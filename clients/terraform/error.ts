import { stripVTControlCharacters } from "node:util";
import type { Environment } from "../environment.js";

/**
 * What Terraform says first in an error, on one line: without colours, boxes and the explanations that follow, but with who
 * holds a state that is locked. Empty when nothing was printed. Only for people: no decision hangs on it.
 * @param withReason whether the first explanation follows, which of `init` alone names the provider
 */
export function firstError(stderr: string, withReason = false): string {
  const lines = stripVTControlCharacters(stderr)
    .split(/\r?\n/)
    .map((line) => line.replace(/^[╷│╵]/, "").trim());
  const start = lines.findIndex((line) => /^(Error: |Failed to )/.test(line));
  const [first = "", second = ""] = paragraphs(start === -1 ? lines : lines.slice(start));
  const text = first.replace(/^Error: /, "");
  const reason = withReason && second !== "" && !second.startsWith("Error: ") ? `${text}: ${second}` : text;
  const said = (text.endsWith(":") ? `${text} ${second}` : reason).trim().replace(/\.$/, "");
  return `${said}${lockHolderIn(lines)}`;
}

/** `: it is held by ana@laptop since ...`, from what follows "Lock Info:"; empty where there is no such thing. */
function lockHolderIn(lines: readonly string[]): string {
  const start = lines.indexOf("Lock Info:");
  if (start === -1) return "";
  const info = new Map(
    lines.slice(start + 1).flatMap((line) => {
      const [, key = "", value = ""] = /^(\w+):\s+(.+)$/.exec(line) ?? [];
      return key === "" ? [] : [[key, value] as const];
    }),
  );
  const [who, since, id] = ["Who", "Created", "ID"].map((key) => info.get(key) ?? "unknown");
  return `: it is held by ${who ?? ""} since ${since ?? ""} (lock ${id ?? ""}); wait until that has ended, or where it was killed: terraform -chdir=FOLDER_OF_THE_VIEW force-unlock ${id ?? ""}`;
}

const SECRET = /SECRET|TOKEN|PASSWORD|ACCESS_KEY|ENCRYPTION|_PRIVATE_KEY$|_PASS$|_CREDENTIALS$|_AUTH$/;

/**
 * Takes the values of secret variables out of a text, whoever put them there, and single lines of them as well.
 * @param env the variables that the printing process had
 * @param names those of them that are secret whatever they are called, unless they are a path
 */
export function withoutSecrets(text: string, env: Environment, names: readonly string[] = []): string {
  return Object.entries(env)
    .filter(
      ([name, value]) => SECRET.test(name) || (names.includes(name) && value?.startsWith("/") === false),
    )
    .flatMap(([name, value = ""]) => [value, ...value.split(/\r?\n/)].map((part) => ({ name, part })))
    .filter(({ part }) => part.length > 5)
    .sort((one, other) => other.part.length - one.part.length)
    .reduce((clean, { name, part }) => clean.replaceAll(part, `(${name})`), text);
}

function paragraphs(lines: readonly string[]): string[] {
  return lines
    .join("\n")
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.trim().replaceAll("\n", " "))
    .filter((paragraph) => paragraph !== "");
}
