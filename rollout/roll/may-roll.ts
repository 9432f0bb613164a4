import type { ClusterState } from "../../cluster/cluster-state.js";
import { type Deployed, isForReview } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import {
  countedPending,
  describePending,
  inFlightOf,
  isNew,
  isOfPool,
  pendingGroups,
  type InFlight,
} from "../../cluster/pending.js";
import { UserError } from "../../cluster/user-error.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import { readRuns } from "../log/read-runs.js";
import { rollFacts, type RollFacts } from "../log/roll-facts.js";
import { describeHold, formatTime } from "../log/time.js";
import type { Situation } from "../status/situation.js";
import { openingAt } from "./windows.js";

/** Why groups may not be rolled now. */
export interface Reason {
  /** Stable. */
  readonly id: ReasonId;
  /** A clause: `broker-1 is in flight (terraform_data.broker-1-ready is missing)`. */
  readonly text: string;
  /** When it passes by itself, in milliseconds since 1970; absent where somebody has to act. */
  readonly until?: number | undefined;
  /** What comes first: a command where there is one. */
  readonly remedy: string;
}

export type ReasonId =
  | "not-the-state"
  | "protection"
  | "new"
  | "retired"
  | "in-flight"
  | "creation"
  | "pending"
  | "run"
  | "cancelled"
  | "paused"
  | "manual"
  | "pause-after"
  | "interval"
  | "window";

/** What keeps a group from being begun though nothing is wrong: `--despite` overrides it. */
export const PACE = [
  "paused",
  "manual",
  "pause-after",
  "interval",
  "window",
] as const satisfies readonly ReasonId[];

/** What the run store says. */
type Known = Pick<Situation, "at"> &
  Partial<Pick<Situation, "hold" | "run">> & {
    /** Absent where the pace is of no concern, as for an edit. */
    readonly facts?: RollFacts;
  };

/**
 * Everything that speaks against rolling groups now. Which of it counts is the caller's to say: what is in flight is finished
 * whatever holds, and a view is offered while another group is pending.
 * @param groups the names of groups of the spec: all that are to be rolled
 */
export function mayRoll(state: ClusterState, groups: readonly string[], known?: Known): Reason[] {
  return [
    notTheState(state),
    unprotected(state),
    ...neverStood(state, groups),
    otherInFlight(state, groups, known?.facts),
    halfCreated(state),
    otherPending(state, groups),
    ...(known ? [underWay(known), held(state, known), ...paced(state, groups, known)] : []),
  ].filter((answer) => typeof answer === "object");
}

/** Those of the reasons that count. */
export const among = (reasons: readonly Reason[], ...ids: readonly ReasonId[]): Reason[] =>
  reasons.filter(({ id }) => ids.includes(id));

/**
 * Refuses what any of these reasons speaks against, naming all of them.
 * @param what is not done: `broker-1 is not rolled`
 * @throws UserError with what comes first
 */
export function refuse(reasons: readonly Reason[], what: string, exitCode?: 1 | 2): void {
  if (reasons.length > 0) throw refusal(reasons, what, exitCode);
}

export const refusal = (reasons: readonly Reason[], what: string, exitCode?: 1 | 2): UserError =>
  new UserError(
    reasons.map(({ text, remedy }) => `${text}, so ${what}; first: ${remedy}`).join("\n"),
    exitCode,
  );

/** What creates whatever is new. */
export const DEPLOY_CLUSTER = "npx rollout deploy cluster";

/** Why a group counts as in flight that only the log knows. */
export const BEGUN = "its work has begun to leave";

/** The names of {@link unfinished} groups, by state and log. */
export const unfinishedNames = (situation: Situation): string[] =>
  unfinished(situation, rollFacts(readRuns(situation.events), situation.deployed)).map(({ group }) => group);

/** The groups whose roll has begun and not ended, in the order in which they are to be finished: those that only the log knows come last. */
export function unfinished({ spec, deployed }: ClusterState, facts?: RollFacts): InFlight[] {
  const found = inFlightOf(spec, deployed);
  const due = new Set(pendingGroups(spec, deployed).map(({ name }) => name));
  const begun = facts?.out.filter((name) => due.has(name) && !found.some(({ group }) => group === name));
  return [...found, ...(begun ?? []).map((group) => ({ group, reasons: [BEGUN] }))];
}

type Answer = Reason | false | undefined;

const reason = (id: ReasonId, text: string, remedy: string, until?: number): Reason => ({
  id,
  text,
  remedy,
  until,
});

const RESUME = "rollout resume";

const notTheState = ({ deployed: { origin } }: ClusterState): Answer =>
  isForReview(origin) &&
  reason("not-the-state", "what is deployed was not read from the state", "unset ROLLOUT_DEPLOYED");

const unprotected = ({ spec }: ClusterState): Answer =>
  spec.protection === "off" &&
  reason("protection", "protection is off and nothing would be drained", "set protection: on in the spec");

/** What is not deployed yet has no view to be rolled by. */
function neverStood({ spec, deployed }: ClusterState, groups: readonly string[]): Answer[] {
  const news = groups.filter((name) => isNew(deployed.groups.get(name)));
  const fresh = news.filter((name) => !findGroup(spec, name).retires);
  const retired = news.filter((name) => !fresh.includes(name)).join(", ");
  const text = `${fresh.join(", ")} ${fresh.length === 1 ? "is new and has" : "are new and have"} never stood`;
  const gone = `nothing of ${retired} has ever stood or is left, and its pool retires`;
  return [
    fresh.length > 0 && reason("new", text, DEPLOY_CLUSTER),
    retired !== "" && reason("retired", gone, "rollout status"),
  ];
}

/** Of several in flight the first is finished first, by whoever rolls it. */
function otherInFlight(state: ClusterState, groups: readonly string[], facts?: RollFacts): Answer {
  const [first] = unfinished(state, facts);
  if (!first || groups.includes(first.group)) return undefined;
  const { group, reasons } = first;
  return reason("in-flight", `${group} is in flight (${reasons.join(", ")})`, `rollout deploy ${group}`);
}

function halfCreated({ deployed }: ClusterState): Answer {
  const half = [...deployed.groups.values()].find((each) => isNew(each) && each.tainted.length > 0);
  return half && reason("creation", `the creation of ${half.name} has failed half-way`, DEPLOY_CLUSTER);
}

/** What is pending beside the groups would be refused by synth. */
function otherPending({ spec, deployed }: ClusterState, groups: readonly string[]): Answer {
  if (spec.rollout.pendingGroups === "queue") return undefined;
  const pending = countedPending(spec, deployed);
  if (pending.length > 1) {
    const names = pending.map(({ name }) => name).join(", ");
    return reason(
      "pending",
      `${String(pending.length)} groups are pending (${names}) and rollout.pendingGroups is one`,
      "set all but one back, or set rollout.pendingGroups: queue",
    );
  }
  const [only] = pending;
  const current = only && deployed.groups.get(only.name);
  const isAsked = groups.some(
    (name) =>
      name === only?.name || (only && isOfPool(only, deployed) && findGroup(spec, name).pool === only.pool),
  );
  if (!current || isAsked) return undefined;
  const text = `${only.name} is pending (${describePending(only, current)})`;
  return reason("pending", text, `rollout deploy ${only.name}, or set it back`);
}

function underWay({ run, at }: Known): Answer {
  // An apply of Terraform's alone is kept apart by the state's own lock.
  if (run?.pid === undefined) return undefined;
  const who = `${run.command}, by ${run.by} (process ${String(run.pid)}) since ${formatTime(run.since, at)}`;
  const remedy = "wait for it (rollout status --watch) or end it: rollout cancel";
  return reason("run", `a run is under way (${who})`, remedy);
}

function held({ spec }: ClusterState, { hold, at }: Known): Answer {
  if (!hold) return undefined;
  const id = hold.kind === "pause" ? "paused" : "cancelled";
  const until = hold.until === undefined ? undefined : Date.parse(hold.until);
  return reason(id, `${spec.name} is ${id} (${describeHold(hold, at)})`, RESUME, until);
}

/** The pace between one group and the next, whoever rolls them. One that is rolled anew, as after an undo, is no next one. */
function paced({ spec, deployed }: ClusterState, groups: readonly string[], { facts, at }: Known): Answer[] {
  if (!facts) return [];
  const { manual, pauseAfter, interval, windows } = spec.rollout;
  const last = lastEnd(deployed, facts);
  const isReleased = facts.heldAt !== undefined && facts.heldAt >= last.at;
  const isUsed = facts.changedAt !== undefined && facts.changedAt > (facts.heldAt ?? Infinity);
  const isNext = groups.some((group) => group !== last.group);
  const holds = isNext && !isReleased && pauseAfter.includes(last.group);
  // A clock that was set back must not make it longer.
  const until = Math.min(last.at, at) + durationSeconds(interval) * 1000;
  const opening = windows && openingAt(windows, at);
  return [
    manual && (!isReleased || isUsed) && reason("manual", "rollout.manual: every group waits", RESUME),
    holds && reason("pause-after", `rollout.pauseAfter names ${last.group}`, RESUME),
    isNext && until > at && reason("interval", `rollout.interval: ${interval}`, "wait for it", until),
    opening &&
      "opens" in opening &&
      reason("window", closedText(opening.opens, at), "wait for it", opening.opens),
  ];
}

const closedText = (opens: number, at: number): string =>
  `rollout.windows: none is open before ${formatTime(new Date(opens).toISOString(), at)}`;

/** The roll that ended last: by the log, or by the state where Terraform was called by itself. A creation is none. */
function lastEnd({ groups }: Deployed, { lastEnd }: RollFacts): NonNullable<RollFacts["lastEnd"]> {
  const recorded = [...groups.values()].flatMap(({ name: group, revisions }) => {
    const { number = 1, roll } = revisions.at(-1) ?? {};
    return number > 1 && roll ? [{ group, at: Date.parse(roll.ended) }] : [];
  });
  const never = { group: "", at: Number.NEGATIVE_INFINITY };
  return recorded.reduce((last, each) => (each.at > last.at ? each : last), lastEnd ?? never);
}
