import type { LogEvent, Step } from "../../cluster/run/run-log.js";
import { headline } from "../run/headline.js";

/** The roll that failed last and was not tried again since. */
export interface Failure {
  readonly group: string;
  readonly step: Step;
  readonly message: string | undefined;
}

/** The steps that change something; what is refused before them leaves everything as it was. */
const TOUCHING: ReadonlySet<Step> = new Set<Step>(["leave", "apply", "gate", "record"]);

export const touches = ({ event, step }: LogEvent): boolean =>
  event === "step-started" && step !== undefined && TOUCHING.has(step);

/** Undefined where none failed, or another try has begun since. A refusal is none: nothing was touched, so nothing is new. */
export function lastFailure(events: readonly LogEvent[]): Failure | undefined {
  return events.reduce(after, {}).failure;
}

interface Reading {
  readonly failure?: Failure;
  /** The step of the group at hand, once it is one that touches. */
  readonly at?: Step;
}

function after(before: Reading, event: LogEvent): Reading {
  const { group, result, message } = event;
  if (touches(event)) return event.step === undefined ? before : { at: event.step };
  switch (event.event) {
    case "run-started":
    case "group-started":
      return before.failure ? { failure: before.failure } : {};
    case "group-ended":
      if (result !== "failed") return {};
      return group === undefined || before.at === undefined
        ? before
        : { failure: { group, step: before.at, message: headline(message) } };
    default:
      return before;
  }
}
