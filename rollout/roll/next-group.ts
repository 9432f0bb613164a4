import type { ClusterState } from "../../cluster/cluster-state.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Group } from "../../cluster/groups.js";
import type { Despite } from "../../cluster/run/run-log.js";
import { groupsInPlace } from "../../cluster/in-place.js";
import { deployedHash, pendingGroups } from "../../cluster/pending.js";
import type { Revision } from "../../cluster/revision.js";
import { takeBack, type TakeBack } from "../edit/take-back.js";
import { isTo, type RollFacts, type RollFailure } from "../log/roll-facts.js";
import type { Situation } from "../status/situation.js";
import { among, mayRoll, PACE, unfinished, type Reason, type ReasonId } from "./may-roll.js";
import { rollOrder } from "./order.js";

/** What a roll was asked for. */
export interface Wanted {
  /** The names of groups of the spec. */
  readonly groups: readonly string[];
  /** The image that they are to run; absent: what the spec leaves pending is rolled, and what differs in place is changed. */
  readonly image?: string;
  /** As it was typed: `rollout deploy broker --image ami-0bbb`. */
  readonly command: string;
  /** What of the pace does not count. */
  readonly despite?: Despite;
  /** Whether just this was approved, as an intent: what has begun of it goes on with it, though the spec has lost it. Default: no. */
  readonly isApproved?: boolean;
}

/** All that the next step of a roll is decided from. Nothing of it says how far the roll is: that is seen in what is deployed. */
export interface RollSituation extends ClusterState, Pick<Situation, "hold" | "at"> {
  readonly wanted: Wanted;
  readonly facts: RollFacts;
  /** The groups whose servers lead Consul and Nomad, as far as that is known. */
  readonly leaders: readonly string[];
}

export type NextRoll =
  { readonly kind: "step"; readonly step: RollStep } | { readonly kind: "done" } | Blocked;

/** The roll ends here, not done; given up where it was cancelled, or what failed was taken back. */
export interface Blocked {
  readonly kind: "blocked";
  readonly reason: string;
  readonly command: string;
  readonly isGivenUp?: true;
}

export type RollStep =
  /** The spec gets another image for one group. */
  | { readonly step: "set-image"; readonly group: string; readonly from: string; readonly to: string }
  /** One group is rolled, despite what was overridden, or its roll is finished. */
  | { readonly step: "roll"; readonly group: string; readonly despite?: readonly ReasonId[] }
  /** The spec gets back what the group ran; it is rolled next. */
  | ({ readonly step: "undo"; readonly reason: string } & TakeBack)
  /** Nothing is done before a time. */
  | (Wait & { readonly step: "wait"; readonly until: number })
  /** Nothing is done before somebody says `rollout resume`. */
  | (Wait & { readonly step: "hold" });

interface Wait {
  readonly group: string;
  readonly id: ReasonId;
  readonly reason: string;
}

/**
 * What comes next of a roll. It remembers nothing: whoever does a step looks anew and asks again, also after a run that was
 * cut off. A group that is out is finished, or taken back, before anything else and whatever holds.
 */
export function nextRoll(situation: RollSituation): NextRoll {
  const { spec, deployed, wanted, facts } = situation;
  const reasons = mayRoll(situation, wanted.groups, situation);
  const [unprotected] = among(reasons, "protection");
  if (unprotected) return blockedBy(unprotected);
  const out = unfinished(situation, facts).map(({ group }) => group);
  const order = rollOrder(spec, { inFlight: out, leaders: [] });

  // What has failed is answered before anything else is finished.
  const isFailing = (group: Group): boolean =>
    wanted.groups.includes(group.name) && isOf(facts.failure, group);
  const [first] = order
    .filter(({ name }) => out.includes(name))
    .sort((one, other) => Number(isFailing(other)) - Number(isFailing(one)));
  if (first && wanted.groups.includes(first.name)) return finish(first, situation);
  const [other] = among(reasons, "in-flight");
  if (first && other) return blockedBy(other);

  // What is pending goes first, so that the spec never says more than one group.
  const pending = pendingGroups(spec, deployed).map(({ name }) => name);
  const isAlone = wanted.image !== undefined && spec.rollout.pendingGroups === "one" && pending.length > 0;
  const due = groupsToRoll(situation).filter(({ name }) => !isAlone || pending.includes(name));
  const [next] = due;
  const [cancelled] = among(reasons, "cancelled");
  if (cancelled && next)
    return givenUp(blockedBy(cancelled, `; not rolled: ${due.map(({ name }) => name).join(", ")}`));
  if (cancelled && situation.hold?.undo === true) return givenUp(blockedBy(cancelled));
  if (cancelled) return { kind: "done" };
  // A group that has got there by other hands has failed no more.
  const current = facts.failure && lastOf(deployed, facts.failure.group);
  if (facts.failure && !(current && isTo(facts.failure, current)))
    return failed(facts.failure, false, situation);
  const [refused] = among(reasons, "new", "retired", "pending");
  if (refused) return blockedBy(refused);

  if (!next) return { kind: "done" };
  const { name, image } = next;
  const pace = among(mayRoll(situation, [name], situation), ...PACE);
  const wait = pace.find(({ id }) => wanted.despite?.ids.includes(id) !== true);
  if (wait) return { kind: "step", step: waitFor(wait, next) };
  const despite = pace.length > 0 && { despite: pace.map(({ id }) => id) };
  return wanted.image === undefined || wanted.image === image
    ? { kind: "step", step: { step: "roll", group: name, ...despite } }
    : { kind: "step", step: { step: "set-image", group: name, from: image, to: wanted.image } };
}

/**
 * The groups that are to be rolled, in order: first those that are out, which are finished whatever they run. With a wanted image
 * every group is due that does not run it, whatever the spec says by now.
 */
export function groupsToRoll(situation: RollSituation): Group[] {
  const { spec, deployed, wanted, facts, leaders } = situation;
  const { groups, image } = wanted;
  const out = unfinished(situation, facts).map(({ group }) => group);
  const pending = pendingGroups(spec, deployed).map(({ name }) => name);
  const otherwise = image === undefined ? groupsInPlace(spec, deployed).map(({ name }) => name) : [];
  const isDue = (name: string): boolean =>
    [...out, ...pending, ...otherwise].includes(name) ||
    (image !== undefined && lastOf(deployed, name)?.image !== image);
  const due = rollOrder(spec, { inFlight: out, leaders }).filter(
    ({ name }) => groups.includes(name) && isDue(name),
  );
  const goesFirst = ({ name }: Group): boolean =>
    image !== undefined && spec.rollout.pendingGroups === "one" && [...out, ...pending].includes(name);
  return [...due.filter(goesFirst), ...due.filter((group) => !goesFirst(group))];
}

/** A group that is out: whole again first, by its new image or by its old one. */
function finish(group: Group, situation: RollSituation): NextRoll {
  const { deployed, facts, hold, spec } = situation;
  const { name } = group;
  const current = deployed.groups.get(name);
  const back = current && takeBack(group, current, facts.out.includes(name));
  const failure = isOf(facts.failure, group) ? facts.failure : undefined;
  if (back && hold?.kind === "cancel" && hold.undo === true) {
    return { kind: "step", step: { step: "undo", reason: `cancelled by ${hold.by}`, ...back } };
  }
  if (!failure) return { kind: "step", step: lostEdit(group, situation) ?? { step: "roll", group: name } };
  return back && spec.rollout.onFailure === "undo"
    ? { kind: "step", step: { step: "undo", reason: `it did not become ready with ${failure.to}`, ...back } }
    : failed(failure, true, situation);
}

/** The edit of a run that was killed with the folder in which it was made: without it the group would go back, which nobody wants. */
function lostEdit(
  { name, image, hash }: Group,
  { deployed, facts, hold, wanted }: RollSituation,
): RollStep | undefined {
  const to = wanted.image;
  const current = deployed.groups.get(name);
  const isBack = image !== to && deployedHash(current) === hash;
  const isWanted = wanted.isApproved === true && facts.failure?.group !== name && hold?.kind !== "cancel";
  return to !== undefined && isWanted && isBack && current?.hosts.some((host) => host.image === to)
    ? { step: "set-image", group: name, from: image, to }
    : undefined;
}

const isOf = (failure: RollFailure | undefined, group: Group): boolean =>
  failure?.group === group.name && isTo(failure, group);

/** What keeps the next group from being begun now. */
const waitFor = ({ id, text: reason, until }: Reason, { name: group }: Group): RollStep =>
  until === undefined ? { step: "hold", group, id, reason } : { step: "wait", group, until, id, reason };

/** A gate that was not passed ends a roll, whether the group stays as it is or was taken back. */
function failed(failure: RollFailure, isOut: boolean, { deployed, wanted }: RollSituation): NextRoll {
  const { group, to, message } = failure;
  if (isOut) {
    return blocked(
      `${group} did not become ready with ${to} and stays in flight: ${message}`,
      `rollout undo ${group}, or once the cause is gone: ${wanted.command}`,
    );
  }
  const last = lastOf(deployed, group);
  const back = last?.image === to ? `revision ${String(last.number)}` : (last?.image ?? "nothing");
  const reason = `${group} did not become ready with ${to} and was taken back to ${back}: ${message}`;
  return givenUp(blocked(reason, `rollout history ${group}`));
}

/** The last revision of a group. */
const lastOf = (deployed: Deployed, group: string): Revision | undefined =>
  deployed.groups.get(group)?.revisions.at(-1);

const blocked = (reason: string, command: string): Blocked => ({ kind: "blocked", reason, command });

const blockedBy = ({ text, remedy }: Reason, more = ""): Blocked => blocked(`${text}${more}`, remedy);

const givenUp = (end: Blocked): Blocked => ({ ...end, isGivenUp: true });
