import type { DeployedGroup } from "../spec/deployed.js";
import type { Group } from "../spec/groups.js";

/** An edit of the spec that takes a group back to its last good image. */
export interface TakeBack {
  readonly group: string;
  readonly from: string;
  readonly image: string;
  readonly generation: number;
}

/**
 * How a group gets back to the image of its last revision; undefined where the spec wants that image already, or there is
 * no revision. A group that has left is replaced whole: where machines of the last template are still there, which would
 * stay without their work, its generation is raised.
 * @param hasLeft whether work of the group has begun to leave since it was whole
 */
export function takeBack(group: Group, current: DeployedGroup, hasLeft: boolean): TakeBack | undefined {
  const last = current.revisions.at(-1);
  if (last === undefined || last.image === group.image) return undefined;
  const wouldStay = current.hosts.some(({ hash }) => hash === last.hash);
  const isBegun = current.hosts.some(({ hash }) => hash !== last.hash);
  const isRaised = (hasLeft || !current.leave || isBegun) && wouldStay;
  return {
    group: group.name,
    from: group.image,
    image: last.image,
    generation: last.generation + (isRaised ? 1 : 0),
  };
}
