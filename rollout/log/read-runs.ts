import type { LogEvent, Step } from "../../cluster/run/run-log.js";

/** A run as its log has it, however far it has come. Times are ISO 8601. */
export interface Run extends Pick<LogEvent, "command" | "by"> {
  /** When its first line was written. */
  readonly since: string;
  /** When its last line was written. */
  readonly lastAt: string;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** What is waited for at this point, by a step or between two groups. */
  readonly condition: LogEvent | undefined;
  /** When it has held by itself last, or was let go. */
  readonly heldAt: string | undefined;
  /** Undefined before its end, and for one that was killed. */
  readonly end: LogEvent | undefined;
}

/** What a run did with one group. */
export interface Attempt extends Pick<
  LogEvent,
  "from" | "to" | "fromRevision" | "hash" | "revision" | "cause" | "despite" | "reason"
> {
  readonly group: string;
  /** Whether it was begun; one that was refused before has an end alone. */
  readonly isBegun: boolean;
  readonly steps: readonly { readonly step: Step; readonly since: string }[];
  /** How long those of its steps took that have ended. */
  readonly took: readonly { readonly step: Step; readonly seconds: number }[];
  /** What the pool's own checks answered when its gate was passed last. */
  readonly checks: { readonly at: string; readonly answers: string } | undefined;
  /** Undefined while it is at hand, and for one that was killed. */
  readonly end: LogEvent | undefined;
}

/** How a gate says in the log that it was passed; the answers follow. */
export const CHECKS_PASSED = "its checks passed: ";

type Lines = [LogEvent, ...LogEvent[]];

/** The runs of a log, oldest first: one runs at a time. A hold is no sign of life, and begins none. */
export function readRuns(events: readonly LogEvent[]): Run[] {
  const runs: Lines[] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run && (isHold(event) || (run[0].run === event.run && event.event !== "run-started")))
      run.push(event);
    else if (!isHold(event)) runs.push([event]);
  }
  return runs.map(runOf);
}

function runOf(lines: Lines): Run {
  const own = lines.filter((line) => !isHold(line));
  const at = own.findLast(({ event }) => event !== "step-ended");
  return {
    command: last(own, "command"),
    by: last(own, "by"),
    since: lines[0].at,
    lastAt: (own.at(-1) ?? lines[0]).at,
    attempts: attemptsIn(own),
    condition: at?.event === "waiting" ? at : undefined,
    heldAt: lines.findLast(isHold)?.at,
    end: own.find(({ event }) => event === "run-ended"),
  };
}

/** What belongs to a group whose beginning was not written down still belongs together. */
function attemptsIn(lines: readonly LogEvent[]): Attempt[] {
  const attempts: Lines[] = [];
  for (const line of lines) {
    const open = attempts.findLast(([{ group }]) => group === line.group);
    if (line.group === undefined) continue;
    if (open && line.event !== "group-started" && open.at(-1)?.event !== "group-ended") open.push(line);
    else attempts.push([line]);
  }
  return attempts.map(attemptOf);
}

const attemptOf = (lines: Lines): Attempt => ({
  from: last(lines, "from"),
  to: last(lines, "to"),
  fromRevision: last(lines, "fromRevision"),
  hash: last(lines, "hash"),
  revision: last(lines, "revision"),
  cause: last(lines, "cause"),
  despite: last(lines, "despite"),
  reason: last(lines, "reason"),
  group: lines[0].group ?? "",
  isBegun: lines[0].event === "group-started",
  steps: lines.flatMap(({ event, step, at: since }) =>
    event === "step-started" && step ? [{ step, since }] : [],
  ),
  took: lines.flatMap(({ event, step, seconds = 0 }) =>
    event === "step-ended" && step ? [{ step, seconds }] : [],
  ),
  checks: lines.flatMap(answersIn).at(-1),
  end: lines.find(({ event }) => event === "group-ended"),
});

const answersIn = ({ at, event, message = "" }: LogEvent) =>
  event === "waiting" && message.startsWith(CHECKS_PASSED)
    ? [{ at, answers: message.slice(CHECKS_PASSED.length) }]
    : [];

const isHold = ({ event }: LogEvent): boolean => event === "held" || event === "released";

const last = <K extends keyof LogEvent>(lines: readonly LogEvent[], key: K): LogEvent[K] | undefined =>
  lines.findLast((line) => line[key] !== undefined)?.[key];

export const attemptsOf = (runs: readonly Run[]): Attempt[] => runs.flatMap(({ attempts }) => attempts);

/** A change in place has an apply and an end, and neither a beginning nor a revision: it is no roll. */
export const isChange = ({ isBegun, revision, steps, end }: Attempt): boolean =>
  !isBegun && revision === undefined && steps.some(({ step }) => step === "apply") && end?.result === "ok";

/** Whether its group was whole at its end, with its new image or with its old one. */
export const isWhole = ({ end }: Pick<Attempt, "end">): boolean =>
  end?.result === "ok" || end?.result === "undone";
