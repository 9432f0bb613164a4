import type { DeployedGroup } from "../../cluster/deployed.js";
import type { Revision } from "../../cluster/revision.js";
import type { Group } from "../../cluster/groups.js";
import { deployedHosts } from "../../cluster/pending.js";

/** An edit of the spec that takes a group back to its last good image. */
export interface TakeBack {
  readonly group: string;
  readonly from: string;
  readonly image: string;
  readonly generation: number;
}

/**
 * How a group gets back to the image of its last revision; undefined where the spec wants that image already, or there is
 * no revision.
 * @param isOut whether work of the group has begun to leave since it was whole, which the state need not show yet
 */
export function takeBack(group: Group, current: DeployedGroup, isOut: boolean): TakeBack | undefined {
  const last = current.revisions.at(-1);
  if (last === undefined || last.image === group.image) return undefined;
  const generation = generationBack(group, current, last, isOut);
  return { group: group.name, from: group.image, image: last.image, generation };
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

/** By the state: once its leave has run, a group's machines are no longer what they were, whatever they run. */
export const hasLeft = (current: DeployedGroup): boolean =>
  !current.leave ||
  current.hosts.length < deployedHosts(current) ||
  current.hosts.some(({ hash }) => hash !== current.revisions.at(-1)?.hash);
