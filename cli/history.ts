import type { Environment } from "../clients/environment.js";
import { historyOf, historySchema, type Attempt } from "../rollout/log/history.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { formatMinute, formatSeconds } from "../rollout/log/time.js";
import { findGroup } from "../cluster/find-group.js";
import { groupsOf } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { readSituation } from "../program/situation.js";
import { formatTable } from "./output/table.js";
import { onOneLine } from "./output/visible.js";
import { WIDTH, wrapLine } from "./output/wrap.js";

export interface HistoryArgs {
  readonly format: "text" | "json";
  /** Default: all groups. */
  readonly group?: string;
  /** One of the group's, in full. */
  readonly revision?: number;
}

/** Shows what each group ran, oldest first. Reads state and log, asks no agent. */
export async function runHistory(
  env: Environment,
  { format, group, revision }: HistoryArgs,
): Promise<string> {
  const { spec, deployed, events, notes } = await readSituation(env, Date.now());
  for (const note of notes) console.error(note);
  const names = group === undefined ? groupsOf(spec).map(({ name }) => name) : [findGroup(spec, group).name];
  const runs = readRuns(events);
  const histories = names.map((name) => {
    const current = deployed.groups.get(name);
    return { name, attempts: current ? historyOf(current, runs) : [] };
  });
  const shown =
    revision === undefined
      ? histories
      : histories.map(({ name, attempts }) => ({ name, attempts: onlyRevision(name, attempts, revision) }));
  if (format === "json") {
    const all = historySchema.parse(shown.flatMap(({ attempts }) => attempts));
    return JSON.stringify(all, null, 2);
  }
  return formatHistories(shown, revision !== undefined);
}

/** @throws UserError that says which there are */
function onlyRevision(group: string, attempts: readonly Attempt[], revision: number): Attempt[] {
  const found = attempts.filter((attempt) => attempt.revision === revision);
  if (found.length > 0) return found;
  const [first, last] = [attempts[0], attempts.at(-1)];
  const range = first && last ? ` (${rangeOf(first.revision, last.revision)})` : "";
  throw new UserError(
    `revision ${String(revision)} is not in the history of ${group}${range}; see rollout history ${group}`,
  );
}

/** `11 to 15` */
const rangeOf = (first: number, last: number): string =>
  first === last ? String(first) : `${String(first)} to ${String(last)}`;

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
