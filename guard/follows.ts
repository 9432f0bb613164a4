import { isDeepStrictEqual } from "node:util";
import { parseAddress } from "../cluster/address.js";
import { isMap } from "../cluster/raw.js";
import type { GroupIntent, Intent } from "../cluster/run/intent.js";
import { describeGrowth, performanceChanges } from "../cluster/volume-changes.js";
import { describeChange, withoutRelics, type Change } from "./change.js";
import { changesOf } from "./plan/plan-changes.js";
import type { Plan } from "./plan/plan.js";
import { plannedHost, plannedVolume, type PlannedHost } from "./plan/planned-host.js";

/**
 * Whether a plan of a run does what was approved, and nothing else; beside the rules, which hold for every plan.
 * @param hasBegun whether the roll of its group has begun: then it is finished with any Terraform, and may go back
 */
export function follows(intent: Intent, plan: Plan, hasBegun = false): string[] {
  const group = intent.groups.find(({ name }) => name === plan.view);
  if (!group) return [`the plan is of the view ${plan.view ?? "unknown"}, which is no group of the intent`];
  const { name, before, after, undo } = group;
  const changes = withoutRelics(changesOf(plan), plan.wiring);
  const own = changes.filter(({ member }) => member?.group === name);
  const foreign = changes.filter(({ member }) => member?.group !== name && member?.kind !== "config-consul");
  const made = own.filter(({ member, action }) => member?.kind === "host" && action !== "delete");
  const hosts = made.map(({ address, planned }) => ({
    address,
    host: plannedHost(address, planned?.after),
  }));
  const goesBack = hasBegun && hosts.every(({ host }) => isOf(host, before));
  const isInPlace =
    own.length > 0 && own.every(({ member, action }) => member?.kind === "data" && action === "update");
  const volumes = isInPlace ? own.flatMap(volumeDetails).filter((each) => !group.inPlace.includes(each)) : [];
  return [
    ...(hasBegun
      ? []
      : difference("terraform", intent.terraform, { tool: plan.tool, version: plan.terraformVersion })),
    ...difference(
      `${name}: base`,
      (isInPlace ? rolledBase(group) : group.base) ?? 0,
      plan.base.get(name) ?? 0,
    ),
    ...hosts.flatMap(({ address, host }) =>
      goesBack || [after, undo].some((meant) => meant !== null && isOf(host, meant))
        ? []
        : [
            `${address}: ${after.template?.image ?? "?"} (${after.hash ?? "?"}) -> ${host.image ?? "?"} (${host.hash ?? "?"})`,
          ],
    ),
    ...wrongNumber(group, plan),
    ...volumes.map((each) => `${name}: ${each}, which was not approved`),
    ...foreign.map((change) => `beside ${name}: ${describeChange(change)}`),
  ];
}

/** What is not known before the apply is judged by the hash. */
const isOf = (
  { hash, image, instanceType }: PlannedHost,
  meant: Pick<GroupIntent["after"], "hash" | "template">,
): boolean =>
  hash === meant.hash &&
  [undefined, meant.template?.image].includes(image) &&
  [undefined, meant.template?.instanceType].includes(instanceType);

/** What a plan changes of a data volume, in the words of the intent. */
function volumeDetails({ address, planned }: Change): string[] {
  const [is, wanted] = [plannedVolume(address, planned?.before), plannedVolume(address, planned?.after)];
  const size = is.sizeGib === wanted.sizeGib ? [] : [describeGrowth(is.sizeGib, wanted.sizeGib)];
  return [...size, ...performanceChanges(is, wanted)];
}

/** The machines that stand after a plan. In the middle of a surge, or while servers go one after another, they are not yet as many as approved. */
function wrongNumber({ name, before, after, gate }: GroupIntent, plan: Plan): string[] {
  const stand = plan.resources.filter(({ address, deposed, after }) => {
    const member = parseAddress(address);
    return member?.group === name && member.kind === "host" && deposed === undefined && isMap(after);
  }).length;
  const isStep = plan.numbers !== undefined && plan.gate === "closed";
  const [surge, out] = [numberIn(gate["maxSurge"], 0), numberIn(gate["maxUnavailable"], Infinity)];
  const least = isStep && surge > 0 ? Math.max(0, after.hosts - out) : after.hosts;
  const most = isStep ? Math.max(before.hosts, after.hosts) + surge : after.hosts;
  return stand >= least && stand <= most ? [] : difference(`${name}: hosts`, after.hosts, stand);
}

const numberIn = (value: unknown, absent: number): number => (typeof value === "number" ? value : absent);

/** The groups that a roll by an intent has left, in order. One that has begun is left, whatever the state says. */
export const leftOf = (intent: Intent, now: Intent, begun: readonly string[]): GroupIntent[] =>
  intent.groups.filter((group) => begun.includes(group.name) || !isDone(group, groupIn(now, group.name)));

/** Which of the groups that are left comes next: one that has begun is finished before any other begins. */
const nextOf = (left: readonly GroupIntent[], begun: readonly string[]): GroupIntent | undefined =>
  left.find(({ name }) => begun.includes(name)) ?? left[0];

/** Why it is not the turn of a group that is about to begin or to go on. @param group default: none is */
export function outOfTurn(
  intent: Intent,
  now: Intent,
  begun: readonly string[],
  group: string | undefined,
): string[] {
  const left = leftOf(intent, now, begun);
  const next = nextOf(left, begun)?.name;
  if (group === undefined || group === next) return [];
  const isLeft = left.some(({ name }) => name === group);
  return [isLeft ? `${group} is not what comes next: ${next ?? "nothing"}` : `${group} is rolled already`];
}

/**
 * What is otherwise now than it was approved: the reason for which no further group may begin. Nothing is once all groups are
 * rolled. Of a group that has begun only what it is rolled to counts: it is finished, whatever else has changed by then.
 * @param now the same intent, made from what is deployed and desired now
 * @param begun the groups whose roll by this intent has begun and not ended
 */
export function departuresOf(intent: Intent, now: Intent, begun: readonly string[]): string[] {
  const left = leftOf(intent, now, begun);
  const next = nextOf(left, begun);
  if (!next) return [];
  const { name } = next;
  const current = groupIn(now, name);
  if (current && (begun.includes(name) || isGrowing(next, current))) {
    const grows = isGrowing(next, current);
    const base = grows ? rolledBase(next) : next.base;
    const others = grows ? current.inPlace.filter((each) => !next.inPlace.includes(each)) : [];
    return [
      ...difference(`${name}: base`, base, current.base),
      ...(isBack(next, current)
        ? []
        : difference(`${name}: after.hash`, next.after.hash, current.after.hash)),
      ...difference(`${name}: after.hosts`, next.after.hosts, current.after.hosts),
      ...others.map((each) => `${name}: ${each}, which was not approved`),
    ];
  }
  const shared = (of: Intent) => ({ ...of, groups: [], made: "", expires: "" });
  return [
    ...difference("", shared(intent), shared(now)),
    ...left.flatMap((group) => difference(`${group.name}:`, group, groupIn(now, group.name))),
    ...(Date.parse(now.made) > Date.parse(intent.expires)
      ? [`expired: it was approved until ${intent.expires}, and ${name} has not begun`]
      : []),
  ];
}

/**
 * What is otherwise of the way in which a group leaves and becomes ready: the reason for which no more of its machines may leave.
 * @param now how they would leave by the spec
 */
export function gateDepartures(
  intent: Intent,
  name: string,
  now: Pick<GroupIntent, "gate" | "files">,
): string[] {
  const group = groupIn(intent, name);
  if (!group) return [`${name} is no group of the intent`];
  const { gate, files } = group;
  return difference(`${name}:`, { gate, files }, now);
}

const groupIn = ({ groups }: Intent, name: string): GroupIntent | undefined =>
  groups.find((group) => group.name === name);

/** Rolled by the intent and by nothing else, and wanted as it was approved still. */
const isDone = (group: GroupIntent, now: GroupIntent | undefined): boolean =>
  now?.after.hash === group.after.hash &&
  now.after.hosts === group.after.hosts &&
  isRolled(group, now) &&
  !hasGrowth(group, now);

/** The very next revision, of the template and number that were approved. */
const isRolled = (group: GroupIntent, now: GroupIntent): boolean =>
  now.base === rolledBase(group) &&
  now.before.hash === group.after.hash &&
  now.before.hosts === group.after.hosts;

/** Rolled, and its data volumes are still to be changed. */
const isGrowing = (group: GroupIntent, now: GroupIntent): boolean =>
  (group.before.hash !== group.after.hash || group.before.hosts !== group.after.hosts) &&
  isRolled(group, now) &&
  hasGrowth(group, now);

const hasGrowth = (group: GroupIntent, now: GroupIntent): boolean =>
  group.inPlace.length > 0 && now.inPlace.length > 0;

/** The revision that a group has once its machines are as approved: another number of hosts alone makes none. */
const rolledBase = ({ base, before, after }: GroupIntent): number | null =>
  before.hash === after.hash ? base : (base ?? 0) + 1;

/** Whether the spec says by now that a group goes back, and to what was approved for that. */
const isBack = ({ undo, before, after }: GroupIntent, now: GroupIntent): boolean =>
  now.after.hash !== after.hash && [undo?.hash, before.hash].includes(now.after.hash);

/** Each value that differs, by its path. */
function difference(path: string, one: unknown, other: unknown): string[] {
  if (isDeepStrictEqual(one, other)) return [];
  if (isMap(one) && isMap(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) =>
      difference(/[^:]$/.test(path) ? `${path}.${key}` : `${path} ${key}`.trim(), one[key], other[key]),
    );
  }
  return [`${path} ${inWords(one)} -> ${inWords(other)}`];
}

const inWords = (value: unknown): string =>
  value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
