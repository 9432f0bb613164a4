import type { LogEvent, Step } from "../../cluster/run/run-log.js";
import { headline, touchedAt } from "./last-failure.js";
import type { Run } from "./read-runs.js";

type Result = NonNullable<LogEvent["result"]>;

/** How far the run has come that the log speaks of last. */
export interface LastRun extends Pick<Run, "command" | "by" | "since" | "lastAt"> {
  /** The group at hand; between two groups and at the end the last one. */
  readonly group: string | undefined;
  readonly step: Step | undefined;
  /** Since when the group is at its step. */
  readonly stepSince: string | undefined;
  /** What the step waits for, or the run between two groups. */
  readonly condition: string | undefined;
  /** Since when it waits for that. */
  readonly conditionSince: string | undefined;
  /** How its last group ended; undefined while one is at hand. */
  readonly groupResult: Result | undefined;
  /** How it ended itself; undefined before, and where it was not said. */
  readonly result: Result | undefined;
  readonly isEnded: boolean;
  /** Whether it has begun a step that changes something; a refusal has not. */
  readonly hasTouched: boolean;
  /** What was said of the end of its last group or of its own, in one line. */
  readonly message: string | undefined;
}

/** Undefined where the log has no run. */
export function lastRun(runs: readonly Run[]): LastRun | undefined {
  const run = runs.at(-1);
  if (!run) return undefined;
  const { command, by, since, lastAt, attempts, condition, end } = run;
  const last = attempts.at(-1);
  const step = last?.steps.at(-1);
  return {
    command,
    by,
    since,
    lastAt,
    group: last?.group,
    step: step?.step,
    stepSince: step?.since,
    condition: headline(condition?.message),
    conditionSince: condition?.at,
    groupResult: last?.end?.result,
    result: end?.result,
    isEnded: end !== undefined,
    hasTouched: attempts.some((each) => touchedAt(each) !== undefined),
    message: headline(end?.message ?? last?.end?.message),
  };
}
