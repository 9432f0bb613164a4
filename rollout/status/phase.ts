import { describeInPlace, groupsInPlace } from "../../cluster/in-place.js";
import { countedPending, describePending, inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import type { ClusterState } from "../../cluster/cluster-state.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { describeGoal, missingOf } from "../../cluster/run/goal.js";
import { leftoversOf } from "../../cluster/retiring.js";
import { outOf, type Out } from "../log/roll-facts.js";
import { describeHold } from "../log/time.js";
import { headline, lastFailure, type Failure } from "../log/last-failure.js";
import { readRuns, type Run } from "../log/read-runs.js";
import { BEGUN, DEPLOY_CLUSTER } from "../roll/may-roll.js";
import type { Situation } from "./situation.js";
import { UserError } from "../../cluster/user-error.js";
import { undoOf } from "../edit/undo.js";

/** What a cluster is, in the order in which it is asked: the first that is so is it. */
export const PHASES = [
  "invalid spec",
  "failed",
  "paused",
  "cancelled",
  "progressing",
  "in flight",
  "pending",
  "healthy",
] as const;

/** One phase and one message, so that there are never two truths. */
export interface Phase {
  readonly phase: (typeof PHASES)[number];
  /** What that means here, in one line. */
  readonly message: string;
  /** The command that comes next; null where it is an edit of the spec, or nothing. */
  readonly next: string | null;
  /** The command that takes the group back instead, where that would do something. */
  readonly undo?: string;
}

/** With a group's name behind it. */
export const DEPLOY = "npx rollout deploy ";

const WATCH = "npx rollout status --watch";

/**
 * What a cluster is, or one group of it.
 * @param only the name of the group that is asked for; a run of other groups then counts as none
 */
export function phaseOf(situation: Situation, only?: string): Phase {
  const { spec, goal } = situation;
  const runs = readRuns(situation.events);
  const run = runs.at(-1);
  const isAsked = ({ name }: { readonly name: string }): boolean => only === undefined || name === only;
  const failure = lastFailure(runs);
  const pending = pendingGroups(spec, situation.deployed).filter(isAsked);
  const facts: Facts = {
    ...situation,
    goal: goal && { ...goal, groups: goal.groups.filter((name) => isAsked({ name })) },
    groups: groupsOf(spec).filter(isAsked),
    pending,
    inPlace: groupsInPlace(spec, situation.deployed).filter(
      (group) => isAsked(group) && !pending.includes(group),
    ),
    inFlight: inFlightOf(spec, situation.deployed)
      .map(({ group }) => group)
      .filter((name) => isAsked({ name })),
    out: outOf(runs, situation.deployed).filter(({ group }) => isAsked({ name: group })),
    ...(only === undefined || run?.attempts.at(-1)?.group === only
      ? { last: run, run: situation.run }
      : { last: undefined, run: undefined }),
    failure: failure && isAsked({ name: failure.group }) ? failure : undefined,
  };
  if (only !== undefined && isDone(facts)) return healthy(facts);
  const asked = [invalid, failed, paused, cancelled, progressing, inFlight, begun, missing, waiting];
  for (const ask of asked) {
    const found = ask(facts);
    if (found) return found;
  }
  return healthy(facts);
}

interface Facts extends Situation {
  readonly groups: readonly Group[];
  readonly pending: readonly Group[];
  /** Those that differ in place and are not pending. */
  readonly inPlace: readonly Group[];
  readonly inFlight: readonly string[];
  readonly out: readonly Out[];
  /** The last one of the log. */
  readonly last: Run | undefined;
  readonly failure: Failure | undefined;
}

/** Neither a hold nor a run of other groups is of any concern to a group that is as desired. */
const isDone = (facts: Facts): boolean => {
  const { groups, deployed, pending, inPlace, inFlight, run } = facts;
  return (
    run === undefined &&
    missing(facts) === undefined &&
    pending.length + inPlace.length + inFlight.length === 0 &&
    begun(facts) === undefined &&
    !groups.some(({ name, retires }) => !retires && isNew(deployed.groups.get(name)))
  );
};

/** The policy speaks of all groups, whoever is asked for. */
function invalid({ spec, deployed }: Facts): Phase | undefined {
  const names = countedPending(spec, deployed).map(({ name }) => name);
  if (names.length < 2 || spec.rollout.pendingGroups !== "one" || spec.protection === "off") return undefined;
  return {
    phase: "invalid spec",
    message: `${String(names.length)} groups are pending and rollout.pendingGroups is one: ${names.join(", ")}`,
    next: null,
  };
}

/** A failure is over once its group is as desired, however that came about. */
function failed(facts: Facts): Phase | undefined {
  const { run, failure, pending, inPlace, inFlight, spec } = facts;
  if (run !== undefined || failure === undefined) return undefined;
  const { group, step, message = "its roll ended without success" } = failure;
  if (!inFlight.includes(group) && ![...pending, ...inPlace].some(({ name }) => name === group))
    return undefined;
  return {
    phase: "failed",
    message: `${group} ${step}: ${message}`,
    next: spec.protection === "off" ? null : `${DEPLOY}${group}`,
    ...(canBeUndone(facts, group) ? { undo: `npx rollout undo ${group}` } : {}),
  };
}

/** Whether an undo would do something now, as it decides itself. */
function canBeUndone(situation: Situation, group: string): boolean {
  try {
    undoOf(situation, group);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** What has begun is finished, whatever holds. */
const unfinishedIn = (facts: Facts): Phase | undefined =>
  facts.run === undefined ? (inFlight(facts) ?? begun(facts)) : undefined;

function paused(facts: Facts): Phase | undefined {
  const { hold, run, last, at, out } = facts;
  if (hold?.kind !== "pause") return undefined;
  const first = atHand(run, last) ?? facts.inFlight[0] ?? begunIn(facts, out)[0];
  return {
    phase: "paused",
    message: `${describeHold(hold, at)}${first === undefined ? "" : run === undefined ? `; ${first} is in flight` : `; ${first} is finished first`}`,
    next: unfinishedIn(facts)?.next ?? "npx rollout resume",
  };
}

function cancelled(facts: Facts): Phase | undefined {
  const { hold, run, last, at } = facts;
  if (hold?.kind !== "cancel") return undefined;
  const open = unfinishedIn(facts);
  const group = atHand(run, last);
  const end =
    run === undefined
      ? (open?.message ?? "no run is under way")
      : group === undefined
        ? "the run ends now"
        : `the run ends once ${group} is ${hold.undo === true ? "back on its last image" : "whole"}`;
  return {
    phase: "cancelled",
    message: `${describeHold(hold, at)}; ${end}`,
    next: run === undefined ? (open?.next ?? "npx rollout resume") : WATCH,
  };
}

function progressing({ run, last }: Facts): Phase | undefined {
  if (run === undefined) return undefined;
  const group = atHand(run, last);
  const condition = isOf(run, last) ? headline(last?.condition?.message) : undefined;
  const between = run.pid === undefined ? `${run.command} applies, by ${run.by}` : "between two groups";
  const where = group === undefined ? between : `${group}${stepOf(last)}`;
  return {
    phase: "progressing",
    message: condition === undefined ? where : `${where}: ${condition}`,
    next: WATCH,
  };
}

function inFlight({ inFlight, spec }: Facts): Phase | undefined {
  const [first] = inFlight;
  if (first === undefined) return undefined;
  const many = inFlight.length === 1 ? first : `${String(inFlight.length)} groups, first ${first}`;
  return {
    phase: "in flight",
    message: `${many}; no run is under way`,
    next: spec.protection === "off" ? null : `${DEPLOY}${first}`,
  };
}

/** The groups whose work has begun to leave, which no state shows: those of a log that have not come to be whole by other hands. */
export function begunIn({ spec, deployed }: ClusterState, out: readonly Out[]): string[] {
  if (spec.protection === "off") return [];
  const due = new Set(pendingGroups(spec, deployed).map(({ name }) => name));
  const isSetBack = ({ group, from, to, hash }: Out): boolean => {
    const last = deployed.groups.get(group)?.revisions.at(-1);
    return last?.image === from && (hash === undefined ? from !== to : hash !== last?.hash);
  };
  return out.flatMap((one) => (due.has(one.group) || isSetBack(one) ? [one.group] : []));
}

/** Cut off then. Set back in the spec, its machines would stay as they were left. */
function begun({ out, pending, ...state }: Facts): Phase | undefined {
  const [group] = begunIn(state, out);
  if (group === undefined) return undefined;
  const message = `${group}: ${BEGUN}, and no run is under way`;
  return pending.some(({ name }) => name === group)
    ? { phase: "in flight", message, next: `${DEPLOY}${group}` }
    : {
        phase: "in flight",
        message: `${message}; it was set back since, and has to be replaced all the same`,
        next: `npx rollout restart ${group}`,
      };
}

/** What the spec says already of a goal is part of it; what it says beside the goal comes first. */
function missing({ goal, deployed, pending, spec }: Facts): Phase | undefined {
  const names = goal ? missingOf(goal, deployed) : [];
  if (!goal || names.length === 0) return undefined;
  if (!pending.every(({ name, image }) => names.includes(name) && image === goal.image)) return undefined;
  const next = spec.protection === "off" ? null : `npx ${goal.command}`;
  return { phase: "pending", message: describeGoal(goal, names), next };
}

function waiting({ pending, inPlace, groups, deployed, spec }: Facts): Phase | undefined {
  const fresh = groups.filter(({ name, retires }) => !retires && isNew(deployed.groups.get(name)));
  const left = leftoversOf(spec, deployed);
  const [first] = pending;
  const current = first && deployed.groups.get(first.name);
  if (first && current) {
    const change = `${first.name}: ${describePending(first, current)}`;
    return {
      phase: "pending",
      message: pending.length === 1 ? change : `${String(pending.length)} groups, first ${change}`,
      next: spec.protection === "off" ? null : `${DEPLOY}${first.name}`,
    };
  }
  const [other] = inPlace;
  const there = other && deployed.groups.get(other.name);
  if (other && there) {
    const change = `${other.name} ${describeInPlace(other, there)}`;
    return {
      phase: "pending",
      message: inPlace.length === 1 ? change : `${String(inPlace.length)} groups, first ${change}`,
      next: spec.protection === "off" ? null : `${DEPLOY}${other.name}`,
    };
  }
  if (fresh.length === 0 && left.length === 0) return undefined;
  if (fresh.length === 0) {
    const pools = left.map(({ pool }) => pool).join(", ");
    return {
      phase: "pending",
      message: `${pools}: what is left of a pool that has retired`,
      next: DEPLOY_CLUSTER,
    };
  }
  const all = fresh.length === groups.length && fresh.length > 1 ? "all " : "";
  return {
    phase: "pending",
    message: `${all}${String(fresh.length)} ${fresh.length === 1 ? "group is" : "groups are"} new`,
    next: DEPLOY_CLUSTER,
  };
}

function healthy({ groups }: Facts): Phase {
  const [only] = groups;
  return {
    phase: "healthy",
    message:
      groups.length === 1 && only
        ? `${only.name} is as desired`
        : `all ${String(groups.length)} groups are as desired`,
    next: null,
  };
}

/** The group that a run is at; none between two. */
export function atHand(run: Situation["run"], last: Run | undefined): string | undefined {
  const attempt = last?.attempts.at(-1);
  return isOf(run, last) && attempt?.end === undefined ? attempt?.group : undefined;
}

/** Whether the log's last run is the one that holds the lock: a run that has just begun has not written yet. */
const isOf = (run: Situation["run"], last: Run | undefined): boolean =>
  run !== undefined && last !== undefined && !last.end && last.lastAt >= run.since;

function stepOf(last: Run | undefined): string {
  const step = last?.attempts.at(-1)?.steps.at(-1)?.step;
  return step === undefined ? "" : ` ${step}`;
}
