import type { Attempt } from "../../rollout/log/history.js";
import { formatMinute, formatSeconds } from "../../rollout/log/time.js";
import { formatTable } from "./table.js";
import { onOneLine } from "./visible.js";
import { WIDTH, wrapLine } from "./wrap.js";

interface History {
  readonly name: string;
  readonly attempts: readonly Attempt[];
}

/** One table, or one for each group under its name. */
export function formatHistories(histories: readonly History[], inFull: boolean): string {
  const one = histories.length === 1;
  return histories
    .map(({ name, attempts }) => {
      if (attempts.length === 0) return `${name} has no history yet: it has never stood`;
      if (inFull) return attempts.map(formatInFull).join("\n\n");
      return one ? formatAttempts(attempts) : `${name}\n${formatAttempts(attempts)}`;
    })
    .join("\n\n");
}

function formatAttempts(attempts: readonly Attempt[]): string {
  const rows = attempts.map((attempt) => [
    String(attempt.revision),
    attempt.image ?? "-",
    attempt.at === null ? "-" : formatMinute(attempt.at),
    attempt.seconds === null ? "-" : formatSeconds(attempt.seconds),
    attempt.result ?? "-",
    attempt.message === null ? onOneLine(attempt.cause ?? "<none>") : onOneLine(attempt.message),
  ]);
  return formatTable([["REVISION", "IMAGE", "DONE", "TOOK", "RESULT", "CAUSE"], ...rows])
    .split("\n")
    .map(cut)
    .join("\n");
}

/** The cause stands last; in full it is in `--revision` and in JSON. */
const cut = (line: string): string => (line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);

function formatInFull(attempt: Attempt): string {
  const { group, revision, image, at, seconds, result, message, cause, generation, hash, steps } = attempt;
  const lines: (readonly [string, string | number | null])[] = [
    ["group", group],
    ["revision", revision],
    ["image", image],
    ["generation", generation],
    ["template", hash],
    ["cause", cause],
    ["done", at === null ? null : `${formatMinute(at)} UTC`],
    ["took", seconds === null ? null : formatSeconds(seconds)],
    ["result", result],
    ["steps", steps.map((each) => `${each.step} ${formatSeconds(each.seconds)}`).join(", ") || null],
    ["message", message],
  ];
  return lines
    .filter(([name, value]) => value !== null || name !== "message")
    .flatMap(([name, value]) => wrapLine(`${`${name}:`.padEnd(12)}${onOneLine(String(value ?? "-"))}`))
    .join("\n");
}
