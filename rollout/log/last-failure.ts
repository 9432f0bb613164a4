import type { Step } from "../../cluster/run/run-log.js";
import { attemptsOf, type Attempt, type Run } from "./read-runs.js";

/** The roll that failed last and was not tried again since. */
export interface Failure {
  readonly group: string;
  readonly step: Step;
  readonly message: string | undefined;
}

/** The steps that change something; what is refused before them leaves everything as it was. */
const TOUCHING: ReadonlySet<Step> = new Set<Step>(["leave", "apply", "gate", "record"]);

/** The last step of an attempt that changes something; undefined where it was refused before. */
export const touchedAt = ({ steps }: Attempt): Step | undefined =>
  steps.findLast(({ step }) => TOUCHING.has(step))?.step;

/** Undefined where none failed, or another try has begun since. A refusal is none: nothing was touched, so nothing is new. */
export function lastFailure(runs: readonly Run[]): Failure | undefined {
  const last = attemptsOf(runs).findLast(
    (each) => touchedAt(each) !== undefined || (each.end && each.end.result !== "failed"),
  );
  const step = last && touchedAt(last);
  return step !== undefined && last?.end?.result === "failed"
    ? { group: last.group, step, message: headline(last.end.message) }
    : undefined;
}

/** The first line of a message; where that only announces a list, with the first entry. */
export function headline(message: string | undefined): string | undefined {
  const [first, second] = message?.split("\n", 2) ?? [];
  return first?.endsWith(":") === true && second !== undefined ? `${first} ${second.trim()}` : first;
}
