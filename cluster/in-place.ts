import type { Deployed, DeployedGroup, DeployedVolume } from "./deployed.js";
import { groupsOf, type Group } from "./groups.js";
import { hasNumber, withNumbers } from "./numbers.js";
import { inFlightOf, isNew, pendingGroups } from "./pending.js";
import { volumeChanges } from "./volume-changes.js";
import type { Spec } from "./yaml/schema.js";

/** The {@link volumeChanges} of a group that stands, each once. */
export const changesInPlace = (group: Group, current: DeployedGroup): string[] => [
  ...new Set(ownVolumes(group, current).flatMap((volume) => volumeChanges(volume, group))),
];

/** Those of the hosts that a group is to have, and not of such as are gone. */
export function ownVolumes(group: Group, current: DeployedGroup): DeployedVolume[] {
  const numbered = withNumbers(group, current);
  return current.volumes.filter(({ host }) => hasNumber(numbered, host));
}

/**
 * What of a group is larger than the spec says, though it is as desired: where a growth was set back, or made by other hands.
 * A new host would get a smaller volume.
 */
export function describeLarger(group: Group, current: DeployedGroup): string | undefined {
  const sizes = ownVolumes(group, current).map(({ sizeGib }) => sizeGib);
  const [largest, wanted] = [String(Math.max(...sizes)), group.wantedVolume?.sizeGib ?? Infinity];
  if (!sizes.some((sizeGib) => sizeGib > wanted) || changesInPlace(group, current).length > 0)
    return undefined;
  return `data volumes have ${largest} GiB and the spec says ${String(wanted)}; write sizeGib: ${largest}`;
}

/** The deployed groups that differ in place, in the rollout's order: no machine is replaced for it, and no work leaves. */
export const groupsInPlace = (spec: Spec, { groups }: Deployed): Group[] =>
  groupsOf(spec).filter((group) => {
    const current = groups.get(group.name);
    return current && !isNew(current) && !group.retires && changesInPlace(group, current).length > 0;
  });

/**
 * Whether its own view changes the data volumes of a group now: machines come first. Nobody can make a volume smaller again, so
 * none is changed by what finishes a group, or before its machines are proven.
 */
export const isInPlaceNow = (spec: Spec, deployed: Deployed, group: string): boolean =>
  inFlightOf(spec, deployed).length === 0 &&
  !pendingGroups(spec, deployed).some(({ name }) => name === group);

/**
 * The volumes of a group that a roll leaves for a change in place after it. Another type, and the size that new machines are
 * recorded with, come with these machines; a smaller size is refused before their work leaves.
 */
export const leftByRoll = (group: Group, { hosts, volumes }: DeployedGroup): DeployedVolume[] =>
  volumes.filter((volume) => {
    const { type, sizeGib = 0 } = group.dataVolume ?? {};
    const isRecorded = volume.type === type && volume.sizeGib >= sizeGib;
    const isSmaller = volume.sizeGib > (group.wantedVolume?.sizeGib ?? 0);
    const isLeft = isOfStaying(volume, group, hosts) || (isRecorded && !isSmaller);
    return volumeChanges(volume, group).length > 0 && isLeft;
  });

/** Whether a volume is that of a machine which is as desired. */
export const isOfStaying = (
  { host }: DeployedVolume,
  { hash }: Group,
  hosts: DeployedGroup["hosts"],
): boolean => hosts.some((each) => each.number === host && each.hash === hash);

/** `differs in place: volume 100 -> 200 GiB, iops 3000 -> 6000` */
export const describeInPlace = (group: Group, current: DeployedGroup): string =>
  `differs in place: ${changesInPlace(group, current).join(", ")}`;
