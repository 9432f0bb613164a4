import type { DeployedGroup } from "../../cluster/deployed.js";
import type { Revision } from "../../cluster/revision.js";
import type { Group } from "../../cluster/groups.js";
import type { GroupChange } from "../../cluster/yaml/edit.js";
import { UserError } from "../../cluster/user-error.js";
import { hasNumber, withNumbers } from "../../cluster/numbers.js";
import { deployedHosts, isMixed } from "../../cluster/pending.js";
import {
  makesTheSame,
  ownSettings,
  templateHash,
  templateOf,
  withoutOwn,
  type Template,
} from "../../cluster/template-hash.js";
import { takesPerformance } from "../../cluster/volume-changes.js";
import { changesOf } from "../log/history.js";

/** An edit of the spec that takes a group back to the template of its last good revision. */
export interface TakeBack {
  readonly group: string;
  /** `ami-0bbb -> ami-0aaa` */
  readonly what: string;
  readonly change: GroupChange & Template;
}

/**
 * How a group gets back to the template of its last revision; undefined where the spec wants that one already, or there is
 * no revision.
 * @param isOut whether work of the group has begun to leave since it was whole, which the state need not show yet
 */
export function takeBack(group: Group, current: DeployedGroup, isOut: boolean): TakeBack | undefined {
  const last = current.revisions.at(-1);
  if (last === undefined) return undefined;
  const { template, volumes } = restored(group, current, last);
  if (makesTheSame(template, group)) return undefined;
  const change = { ...template, ...volumes, generation: generationBack(group, current, last, isOut) };
  return { group: group.name, what: describeChange(group, { ...template, ...volumes }), change };
}

/** `ami-0bbb -> ami-0aaa, generation 0 -> 1` */
export const describeChange = (
  from: Pick<Group, "wantedVolume"> & Template,
  to: Template & Pick<GroupChange, "volumeGib">,
): string =>
  [
    ...changesOf(templateOf(from), templateOf(to)).map((change) =>
      change.replace(/^(image|instanceType) /, ""),
    ),
    ...(to.volumeGib === undefined
      ? []
      : [`sizeGib ${String(from.wantedVolume?.sizeGib)} -> ${String(to.volumeGib)}`]),
  ].join(", ");

/** What the spec is to say of a group that goes back. */
interface Restored {
  /** With the generation that the spec says already. */
  readonly template: Template;
  /** The size that the spec has to give its data volumes: that of the largest, where it says another one. */
  readonly volumes: Pick<GroupChange, "volumeGib">;
  /** What the revision had otherwise, and why that stays as it is. */
  readonly kept: readonly string[];
}

export function restored(group: Group, current: DeployedGroup, to: Revision): Restored {
  const was = templateIn(to, group, current);
  const [dataVolume, rootVolume] = [group.dataVolume && was.dataVolume, group.rootVolume && was.rootVolume];
  const numbered = withNumbers(group, current);
  // The name of a file is no part of what a machine is made from.
  const isSameText = was.userData !== undefined && was.userData.sha256 === group.userData?.sha256;
  const sizes = current.volumes.flatMap(({ host, sizeGib }) => (hasNumber(numbered, host) ? sizeGib : []));
  const largest = Math.max(0, ...sizes);
  const sizeGib = Math.max(dataVolume?.sizeGib ?? 0, largest);
  // What machines are made from goes on with the size that is recorded; the volumes have their own.
  const recorded = current.revisions.at(-1)?.template?.dataVolume?.sizeGib ?? sizeGib;
  const lost = (["iops", "throughput"] as const).filter(
    (key) => dataVolume && !takesPerformance(dataVolume.type) && group.wantedVolume?.[key] !== undefined,
  );
  const odd = (["dataVolume", "rootVolume"] as const).filter((key) => !group[key] !== !was[key]);
  return {
    template: templateOf({
      ...withoutOwn(group),
      ...ownSettings(isSameText ? { ...was, userData: group.userData } : was),
      ...{ image: was.image, instanceType: was.instanceType },
      ...(dataVolume ? { dataVolume: { ...dataVolume, sizeGib: recorded } } : {}),
      ...(rootVolume ? { rootVolume } : {}),
    }),
    volumes: dataVolume && sizeGib !== group.wantedVolume?.sizeGib ? { volumeGib: sizeGib } : {},
    kept: [
      ...(dataVolume && dataVolume.sizeGib < largest
        ? [`its data volumes stay at ${String(largest)} GiB: none is ever made smaller`]
        : []),
      ...(lost.length > 0
        ? [
            `its data volumes lose ${lost.join(" and ")}: type ${String(dataVolume?.type)} has none of its own`,
          ]
        : []),
      ...odd.map((key) => `${key}s stays as it is: a pool has that key for all three groups, or not at all`),
      ...(templateHash(was) === to.hash
        ? []
        : [`an earlier version recorded revision ${String(to.number)}, by its image alone: all else stays`]),
    ],
  };
}

/** What a revision's machines were made of. Where the record does not say it, a guess that its hash proves, or its image alone. */
export function templateIn(
  to: Revision,
  group: Group,
  { hosts: [host], revisions }: DeployedGroup,
): Template {
  const { image, generation } = to;
  // What has no template was recorded when no group had anything of its own.
  const types = [group.instanceType, host?.instanceType ?? ""].map((instanceType) => ({
    ...withoutOwn(group),
    instanceType,
  }));
  const guesses = [...types, ...revisions.flatMap(({ template }) => template ?? [])].map((guess) =>
    templateOf({ ...guess, image, generation }),
  );
  const proven = to.template ?? guesses.find((guess) => templateHash(guess) === to.hash);
  return proven ?? templateOf({ ...group, image, generation });
}

/**
 * The generation with which a group goes back to one of its revisions. Once it has begun to leave it is replaced whole, by a
 * generation that neither the spec nor a revision had: whatever machine or record is left of an earlier roll is then never
 * taken for one of this. Before that its machines are still those of its last revision, whose generation lets them be.
 */
export function generationBack(group: Group, current: DeployedGroup, to: Revision, isOut: boolean): number {
  const { revisions } = current;
  if (isOut || hasLeft(current)) {
    return Math.max(group.generation, ...revisions.map(({ generation }) => generation)) + 1;
  }
  return to === revisions.at(-1) ? to.generation : group.generation;
}

/**
 * By the state: once its leave has run, a group's machines are no longer what they were, whatever they run. New ones beside them,
 * or that were there, change nothing of that, as long as its leave is the one that it had.
 */
export function hasLeft(current: DeployedGroup): boolean {
  const { hosts, leave, ready, revisions } = current;
  const hash = revisions.at(-1)?.hash;
  const isOther = hosts.some((host) => host.hash !== hash);
  if (!leave) return true;
  if (isLeaveKept(current) && ready?.hash !== hash) return false;
  return !isSurged(current) && (hosts.length < deployedHosts(current) || isOther);
}

/** Whether new machines stand beside the old ones, none of which has been made to leave. */
export function isSurged(current: DeployedGroup): boolean {
  const hash = current.revisions.at(-1)?.hash;
  const old = current.hosts.filter((host) => host.hash === hash).length;
  return isLeaveKept(current) && old > 0 && old < current.hosts.length;
}

/** Whether no machine has been made to leave since the group's last revision. */
export const isLeaveKept = ({ leave, leaveFor, revisions }: DeployedGroup): boolean =>
  leave && leaveFor?.hash !== undefined && leaveFor.hash === revisions.at(-1)?.hash;

/**
 * By a third image the surplus would go first, through a leave that asks all old machines, before anything of the third stands.
 * By fewer machines so would old ones, before anything new does.
 * @throws UserError where a group of which new machines come first is to get a third image, or fewer machines, in the middle of
 * that, or fewer with another image
 */
export function refuseInSurge(group: Group, current: DeployedGroup, maxSurge: number): void {
  const { name, hash, image } = group;
  const last = current.revisions.at(-1);
  // An undo is never refused, also one that makes the old ones anew.
  if (!last || makesTheSame(templateIn(last, group, current), group)) return;
  const known = [hash, last.hash];
  const others = isSurged(current) ? current.hosts.filter((host) => !known.includes(host.hash)) : [];
  if (others.length === 0) {
    refuseFewer(group, current, { maxSurge, before: last.hosts });
    return;
  }
  throw new UserError(
    `${name} is not rolled to ${image}: ${others.map((host) => host.name).join(", ")} of ${[...new Set(others.map((host) => host.image))].join(", ")} came beside its old machines, which are all at work; first: rollout undo ${name} and rollout deploy ${name}, then this again`,
  );
}

function refuseFewer(
  { name, hash, image, hosts, retires }: Group,
  current: DeployedGroup,
  { maxSurge, before = Infinity }: { readonly maxSurge: number; readonly before: number | undefined },
): void {
  const stand = current.hosts.length;
  const isBegun = isMixed(current);
  const isOver = current.hosts.every((host) => host.hash === hash);
  if (maxSurge === 0 || retires || isOver || stand <= hosts + (isBegun ? maxSurge : 0)) return;
  // Of a surge whose maxSurge alone was lowered a few go on in smaller steps.
  if (isBegun && hosts >= before) return;
  throw new UserError(
    isBegun
      ? `${name} has ${String(stand)} machines in the middle of its roll to ${image}, and ${String(hosts)} are too few for that with maxSurge: ${String(maxSurge)}; first: put the number back and run rollout deploy ${name}, or go back by rollout undo ${name}`
      : `${name} is to get ${image} and fewer machines (${String(stand)} -> ${String(hosts)}) at once, so that old ones would leave before a new one stands; first: put one of both back and run rollout deploy ${name}, then the other`,
  );
}
