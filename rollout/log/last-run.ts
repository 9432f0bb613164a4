import { headline, touchedAt } from "./last-failure.js";
import type { Run } from "./read-runs.js";

export type LastRun = ReturnType<typeof farOf>;

/** The run that the log speaks of last; undefined where it has none. */
export const lastRun = (runs: readonly Run[]): LastRun | undefined => runs.slice(-1).map(farOf)[0];

/** How far a run has come. */
function farOf({ command, by, since, lastAt, attempts, condition, end }: Run) {
  const last = attempts.at(-1);
  const step = last?.steps.at(-1);
  return {
    command,
    by,
    since,
    lastAt,
    /** The group at hand; between two groups and at the end the last one. */
    group: last?.group,
    step: step?.step,
    stepSince: step?.since,
    /** What the step waits for, or the run between two groups. */
    condition: headline(condition?.message),
    conditionSince: condition?.at,
    /** How its last group ended; undefined while one is at hand. */
    groupResult: last?.end?.result,
    /** How it ended itself; undefined before, and where it was not said. */
    result: end?.result,
    isEnded: end !== undefined,
    /** Whether it has begun a step that changes something; a refusal has not. */
    hasTouched: attempts.some((each) => touchedAt(each) !== undefined),
    /** What was said of the end of its last group or of its own, in one line. */
    message: headline(end?.message ?? last?.end?.message),
  };
}
