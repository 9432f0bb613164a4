import type { Attempt } from "../../rollout/log/history.js";
import { ownInWords } from "../../cluster/template-hash.js";
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
  // Of what earlier versions recorded nobody knows it, and the line is short.
  const isKnown = attempts.some(({ changed }) => changed !== null);
  const rows = attempts.map((attempt) => [
    String(attempt.revision),
    attempt.image ?? "-",
    attempt.at === null ? "-" : formatMinute(attempt.at),
    attempt.seconds === null ? "-" : formatSeconds(attempt.seconds),
    attempt.result ?? "-",
    ...(isKnown ? [changedIn(attempt)] : []),
    attempt.message === null ? onOneLine(attempt.cause ?? "<none>") : onOneLine(attempt.message),
  ]);
  return formatTable([
    ["REVISION", "IMAGE", "DONE", "TOOK", "RESULT", ...(isKnown ? ["CHANGED"] : []), "CAUSE"],
    ...rows,
  ])
    .split("\n")
    .map(cut)
    .join("\n");
}

/** The names of what is another than before. */
const changedIn = ({ changed }: Attempt): string =>
  changed === null ? "-" : changed.map((each) => each.split(" ")[0]).join(",") || "nothing";

/** The cause stands last; in full it is in `--revision` and in JSON. */
const cut = (line: string): string => (line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);

function formatInFull(attempt: Attempt): string {
  const { group, revision, image, at, seconds, result, message, cause, generation, hash, steps } = attempt;
  const { template, hosts, roll, changed, deployed, despite } = attempt;
  const lines: (readonly [string, string | number | null])[] = [
    ["group", group],
    ["revision", revision],
    ["image", image],
    ["generation", generation],
    ["template", template ? `${hash ?? "-"}, ${inWords(template)}` : hash],
    ["hosts", hosts],
    ["changed", changed && (changed.join(", ") || "nothing")],
    ["cause", cause],
    ["commit", roll?.commit ?? null],
    ["by", roll && `${roll.by}${roll.command === undefined ? "" : `: ${roll.command}`}, ${roll.how}`],
    ["despite", despite && `${despite.ids.join(", ")}: ${despite.reason}`],
    ["begun", roll && `${formatMinute(roll.begun)} UTC`],
    ["done", at === null ? null : `${formatMinute(at)} UTC`],
    ["took", seconds === null ? null : formatSeconds(seconds)],
    ["result", result],
    ["steps", steps.map((each) => `${each.step} ${formatSeconds(each.seconds)}`).join(", ") || null],
    ["message", message],
    ["note", deployed && !roll ? "who rolled it and how is not recorded" : null],
  ];
  return lines
    .filter(([name, value]) => value !== null || !OPTIONAL.has(name))
    .flatMap(([name, value]) => wrapLine(`${`${name}:`.padEnd(12)}${onOneLine(String(value ?? "-"))}`))
    .join("\n");
}

/** These say nothing where there is nothing. */
const OPTIONAL = new Set(["hosts", "changed", "commit", "by", "despite", "begun", "message", "note"]);

/** `instanceType m6i.large, dataVolume gp3, recorded as 100 GiB`: what image and generation do not say. */
function inWords({ instanceType, rootVolume, dataVolume, ...own }: NonNullable<Attempt["template"]>): string {
  return [
    `instanceType ${instanceType}`,
    ...(rootVolume ? [`rootVolume ${String(rootVolume.sizeGib)} GiB`] : []),
    // The volumes may have grown since, which is no revision.
    ...(dataVolume ? [`dataVolume ${dataVolume.type}, recorded as ${String(dataVolume.sizeGib)} GiB`] : []),
    ...Object.entries(ownInWords(own)).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${value}`],
    ),
  ].join(", ");
}
