import type { LogEvent, Step } from "../../cluster/run/run-log.js";

/** What a cluster's log says of its rolls. How far a roll has come is read from the state, never from here. */
export interface RollFacts {
  /** When a group was last rolled, in milliseconds since 1970. */
  readonly lastEndAt?: number;
  /** The group that this roll has finished last. */
  readonly lastEnded?: string;
  /**
   * Whether the roll has held since then, before the first group since the roll before this one. While a hold is there it
   * still holds; once `rollout resume` has taken it away it has been let go.
   */
  readonly released: boolean;
  /** The gate that was not passed last in this roll. */
  readonly failure?: RollFailure;
  /** Groups that have begun to leave and have not been whole since. The state does not show it before a machine goes. */
  readonly out: readonly string[];
}

export interface RollFailure {
  readonly group: string;
  /** The image that it was rolled to. */
  readonly to: string;
  readonly message: string;
}

/**
 * Reads the facts from a log. A roll ends where its run says so. One that was killed or interrupted has not ended: the
 * next run goes on with it, and what was seen then counts.
 */
export function rollFacts(events: readonly LogEvent[]): RollFacts {
  const ended = events.findLastIndex(
    ({ event, result }) => event === "run-ended" && result !== "interrupted",
  );
  const all = events.reduce(take, NOTHING);
  const { lastEnded, released, failure } = events.slice(ended + 1).reduce(take, NOTHING);
  return {
    ...(all.lastEndAt === undefined ? {} : { lastEndAt: all.lastEndAt }),
    ...(lastEnded === undefined ? {} : { lastEnded }),
    ...(failure === undefined ? {} : { failure }),
    released,
    out: all.out,
  };
}

/** A group that has begun to leave and has not been whole since, and the images between which it was rolled. */
export interface Out {
  readonly group: string;
  readonly from?: string;
  readonly to?: string;
}

/** The groups that are out by a log. None is that was so before another was rolled: no work leaves unless all others are well. */
export function outOf(events: readonly LogEvent[]): Out[] {
  const whole = events.findLastIndex(({ event, result }) => event === "group-ended" && result === "ok");
  return events
    .slice(whole + 1)
    .reduce(take, NOTHING)
    .out.map((group) => {
      const begun = events.findLast((event) => event.event === "group-started" && event.group === group);
      return {
        group,
        ...(begun?.from === undefined ? {} : { from: begun.from }),
        ...(begun?.to === undefined ? {} : { to: begun.to }),
      };
    });
}

interface Reading {
  readonly lastEndAt?: number;
  readonly lastEnded?: string;
  readonly released: boolean;
  readonly failure?: RollFailure;
  readonly out: readonly string[];
  /** The group at hand, the image that it gets, and its step. */
  readonly at: { readonly group?: string; readonly to?: string; readonly step?: Step };
}

const NOTHING: Reading = { released: false, out: [], at: {} };

function take(before: Reading, event: LogEvent): Reading {
  const { group = before.at.group, step } = event;
  switch (event.event) {
    case "held":
    case "released":
      return { ...before, released: true };
    case "group-started":
      return { ...before, at: only({ group, to: event.to }) };
    case "step-started": {
      const at = { ...before.at, ...only({ group, step }) };
      return group !== undefined && step === "leave"
        ? { ...before, at, out: [...without(before.out, group), group] }
        : { ...before, at };
    }
    case "group-ended":
      return group === undefined ? before : endOf(before, group, event);
    default:
      return before;
  }
}

function endOf(before: Reading, group: string, { at, to, result, message }: LogEvent): Reading {
  if (result === "ok" || result === "undone") {
    const out = without(before.out, group);
    return { ...before, lastEndAt: Date.parse(at), lastEnded: group, released: false, out, at: {} };
  }
  if (result !== "failed" || before.at.step !== "gate") return before;
  const image = to ?? before.at.to;
  return image === undefined
    ? before
    : { ...before, failure: { group, to: image, message: message ?? "it is not ready" } };
}

const without = (names: readonly string[], name: string): string[] => names.filter((each) => each !== name);

/** Without the keys that have no value. */
function only(at: {
  group?: string | undefined;
  to?: string | undefined;
  step?: Step | undefined;
}): Reading["at"] {
  return {
    ...(at.group === undefined ? {} : { group: at.group }),
    ...(at.to === undefined ? {} : { to: at.to }),
    ...(at.step === undefined ? {} : { step: at.step }),
  };
}
