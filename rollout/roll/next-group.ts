import type { Deployed } from "../../cluster/deployed.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import type { Group } from "../../cluster/groups.js";
import type { Hold } from "../../cluster/run/hold.js";
import { describePending, inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { rollOrder } from "./order.js";
import type { RollFacts, RollFailure } from "../log/roll-facts.js";
import { describeHold } from "../run/hold-words.js";
import { takeBack, type TakeBack } from "../edit/take-back.js";

/** What a roll was asked for. */
export interface Wanted {
  /** The names of groups of the spec. */
  readonly groups: readonly string[];
  /** The image that they are to run; absent: what the spec leaves pending is rolled. */
  readonly image?: string;
  /** As it was typed: `rollout deploy broker --image ami-0bbb`. */
  readonly command: string;
}

/** All that the next step of a roll is decided from. Nothing of it says how far the roll is: that is seen in what is deployed. */
export interface RollSituation {
  readonly wanted: Wanted;
  readonly spec: Spec;
  readonly deployed: Deployed;
  readonly hold: Hold | undefined;
  readonly facts: RollFacts;
  /** The groups whose servers lead Consul and Nomad, as far as that is known. */
  readonly leaders: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type NextRoll =
  | { readonly kind: "step"; readonly step: RollStep }
  | { readonly kind: "done" }
  /** The roll ends here, not done. */
  | { readonly kind: "blocked"; readonly reason: string; readonly command: string };

export type RollStep =
  /** The spec gets another image for one group. */
  | { readonly step: "set-image"; readonly group: string; readonly from: string; readonly to: string }
  /** One group is rolled, or its roll is finished. */
  | { readonly step: "roll"; readonly group: string }
  /** The spec gets back what the group ran; it is rolled next. */
  | ({ readonly step: "undo"; readonly reason: string } & TakeBack)
  /** Nothing is done before a time. */
  | { readonly step: "wait"; readonly group: string; readonly until: number; readonly reason: string }
  /** Nothing is done before somebody says `rollout resume`. */
  | {
      readonly step: "hold";
      readonly group: string;
      readonly why: "paused" | "manual" | "pause-after";
      readonly reason: string;
    };

/**
 * What comes next of a roll. It remembers nothing: whoever does a step looks anew and asks again, also after a run that was
 * cut off. A group that is out is finished, or taken back, before anything else and whatever holds.
 */
export function nextRoll(situation: RollSituation): NextRoll {
  const { spec, deployed, wanted, facts, leaders, hold } = situation;
  if (spec.protection === "off") {
    return blocked(
      "protection is off, so nothing would be drained",
      `set protection: on, then ${wanted.command}`,
    );
  }
  const pending = pendingGroups(spec, deployed).map(({ name }) => name);
  const inFlight = inFlightOf(spec, deployed).map(({ group }) => group);
  const begun = facts.out.filter((group) => pending.includes(group) && !inFlight.includes(group));
  const out = [...inFlight, ...begun];
  const order = rollOrder(spec, { inFlight: out, leaders });

  // What has failed is answered before anything else is finished.
  const isFailing = ({ name, image }: Group): boolean =>
    facts.failure?.group === name && facts.failure.to === image;
  const [first] = order
    .filter(({ name }) => out.includes(name))
    .sort((one, other) => Number(isFailing(other)) - Number(isFailing(one)));
  if (first) return finish(first, situation);
  if (hold?.kind === "cancel") return cancelled(hold, order, pending, situation);
  // A group that has got there by other hands has failed no more.
  if (facts.failure && imageOf(deployed, facts.failure.group) !== facts.failure.to)
    return failed(facts.failure, false, situation);
  const refusal = refusePending(order, pending, situation);
  if (refusal) return refusal;

  const next = order.find((group) => wanted.groups.includes(group.name) && isDue(group, pending, situation));
  if (!next) return { kind: "done" };
  const waiting = pace(next, situation);
  if (waiting) return { kind: "step", step: waiting };
  const { name, image } = next;
  return wanted.image === undefined || wanted.image === image
    ? { kind: "step", step: { step: "roll", group: name } }
    : { kind: "step", step: { step: "set-image", group: name, from: image, to: wanted.image } };
}

/** A group that is out: whole again first, by its new image or by its old one. */
function finish(group: Group, situation: RollSituation): NextRoll {
  const { deployed, wanted, facts, hold, spec } = situation;
  const { name } = group;
  if (!wanted.groups.includes(name)) {
    return blocked(`${name} is in flight, and not part of this roll`, `rollout deploy ${name}`);
  }
  const current = deployed.groups.get(name);
  const back = current && takeBack(group, current, facts.out.includes(name));
  const failure =
    facts.failure?.group === name && facts.failure.to === group.image ? facts.failure : undefined;
  if (back && hold?.kind === "cancel" && hold.undo === true) {
    return { kind: "step", step: { step: "undo", reason: `cancelled by ${hold.by}`, ...back } };
  }
  if (!failure) return { kind: "step", step: { step: "roll", group: name } };
  return back && spec.rollout.onFailure === "undo"
    ? { kind: "step", step: { step: "undo", reason: `it did not become ready with ${back.from}`, ...back } }
    : failed(failure, true, situation);
}

/** With a wanted image every group is due that does not run it, whatever the spec says by now. */
function isDue(
  { name }: Group,
  pending: readonly string[],
  { wanted, deployed, spec }: RollSituation,
): boolean {
  if (pending.includes(name)) return true;
  // What is pending goes first, so that the spec never says more than one group.
  if (wanted.image === undefined || (spec.rollout.pendingGroups === "one" && pending.length > 0))
    return false;
  return imageOf(deployed, name) !== wanted.image;
}

/** What keeps the next group from being begun now. */
function pace({ name }: Group, { hold, spec, facts, now }: RollSituation): RollStep | undefined {
  const held = (why: "paused" | "manual" | "pause-after", reason: string): RollStep => ({
    step: "hold",
    group: name,
    why,
    reason,
  });
  if (hold) return held("paused", describeHold(hold, now));
  const { manual, pauseAfter, interval } = spec.rollout;
  if (manual && !facts.released) return held("manual", "rollout.manual: every group waits");
  if (facts.lastEnded !== undefined && pauseAfter.includes(facts.lastEnded) && !facts.released) {
    return held("pause-after", `rollout.pauseAfter names ${facts.lastEnded}`);
  }
  const length = durationSeconds(interval) * 1000;
  // A clock that was set back must not make it longer.
  const until = Math.min(facts.lastEndAt ?? Number.NEGATIVE_INFINITY, now) + length;
  return until > now
    ? { step: "wait", group: name, until, reason: `rollout.interval: ${interval}` }
    : undefined;
}

/** What is not deployed yet has no view to be rolled by, and what is pending beside the roll would be refused by synth. */
function refusePending(
  order: readonly Group[],
  pending: readonly string[],
  { wanted, deployed, spec }: RollSituation,
): NextRoll | undefined {
  const news = order.filter(({ name }) => wanted.groups.includes(name) && isNew(deployed.groups.get(name)));
  if (news.length > 0) {
    return blocked(
      `${namesOf(news)} ${news.length === 1 ? "is" : "are"} new: new groups are created, not rolled`,
      "npx cdktf deploy cluster",
    );
  }
  if (spec.rollout.pendingGroups === "queue") return undefined;
  const waiting = order.filter(({ name }) => pending.includes(name));
  const [stranger] = waiting.filter(({ name }) => !wanted.groups.includes(name));
  if (waiting.length > 1) {
    return blocked(
      `${String(waiting.length)} groups are pending (${namesOf(waiting)}), and rollout.pendingGroups is one: set all but one back, or set it to queue`,
      "rollout status",
    );
  }
  if (!stranger) return undefined;
  const current = deployed.groups.get(stranger.name);
  const change = current ? ` (${describePending(stranger, current)})` : "";
  return blocked(
    `${stranger.name} is pending${change} and not part of this roll: roll it first, or set it back`,
    `rollout deploy ${stranger.name}`,
  );
}

function cancelled(
  hold: Hold,
  order: readonly Group[],
  pending: readonly string[],
  situation: RollSituation,
): NextRoll {
  const { wanted } = situation;
  const left = order.filter(
    (group) => wanted.groups.includes(group.name) && isDue(group, pending, situation),
  );
  if (left.length === 0) return { kind: "done" };
  return blocked(
    `cancelled ${describeHold(hold, situation.now)}; not rolled: ${namesOf(left)}`,
    "rollout resume",
  );
}

/** A gate that was not passed ends a roll, whether the group stays as it is or was taken back. */
function failed(failure: RollFailure, isOut: boolean, { deployed, wanted }: RollSituation): NextRoll {
  const { group, to, message } = failure;
  if (isOut) {
    return blocked(
      `${group} did not become ready with ${to} and stays in flight: ${message}`,
      `rollout undo ${group}, or once the cause is gone: ${wanted.command}`,
    );
  }
  const image = imageOf(deployed, group) ?? "nothing";
  return blocked(
    `${group} did not become ready with ${to} and was taken back to ${image}: ${message}`,
    `rollout history ${group}`,
  );
}

/** The image of a group's last revision. */
const imageOf = (deployed: Deployed, group: string): string | undefined =>
  deployed.groups.get(group)?.revisions.at(-1)?.image;

const blocked = (reason: string, command: string): NextRoll => ({ kind: "blocked", reason, command });

const namesOf = (groups: readonly Group[]): string => groups.map(({ name }) => name).join(", ");
