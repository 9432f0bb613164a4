import type { LogEvent, Step } from "../../cluster/run/run-log.js";
import { headline } from "../run/headline.js";
import { touches } from "./last-failure.js";

type Result = NonNullable<LogEvent["result"]>;

/** The run that the log speaks of last, and how far it has come. Times are ISO 8601. */
export interface LastRun {
  readonly command: string | undefined;
  readonly by: string | undefined;
  /** When its first line was written. */
  readonly since: string;
  /** When its last line was written. */
  readonly lastAt: string;
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

/** Reads the last run from a log; undefined where none is in it. Holds are set from elsewhere and are no part of a run. */
export function lastRun(events: readonly LogEvent[]): LastRun | undefined {
  const ofRuns = events.filter(({ event }) => event !== "held" && event !== "released");
  const last = ofRuns.at(-1);
  const [first, ...rest] = ofRuns.filter(({ run }) => run === last?.run);
  return first && rest.reduce(after, after(begun(first), first));
}

const begun = ({ at }: LogEvent): LastRun => ({
  command: undefined,
  by: undefined,
  since: at,
  lastAt: at,
  group: undefined,
  step: undefined,
  stepSince: undefined,
  condition: undefined,
  conditionSince: undefined,
  groupResult: undefined,
  result: undefined,
  isEnded: false,
  hasTouched: false,
  message: undefined,
});

function after(before: LastRun, event: LogEvent): LastRun {
  const { command = before.command, by = before.by, group = before.group, result } = event;
  const message = headline(event.message);
  const hasTouched = before.hasTouched || touches(event);
  const run = { ...before, command, by, group, hasTouched, lastAt: event.at };
  const nothing = { condition: undefined, conditionSince: undefined };
  const nowhere = { ...nothing, step: undefined, stepSince: undefined };
  switch (event.event) {
    case "group-started":
      return { ...run, ...nowhere, groupResult: undefined, message: undefined };
    case "step-started":
      return { ...run, step: event.step, stepSince: event.at, ...nothing };
    case "waiting":
      return { ...run, condition: message, conditionSince: event.at };
    case "group-ended":
      return { ...run, ...nothing, groupResult: result, message };
    case "run-ended":
      return { ...run, ...nothing, result, isEnded: true, message: message ?? before.message };
    default:
      return run;
  }
}
