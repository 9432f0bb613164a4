import type { Deployed, DeployedGroup, DeployedVolume } from "./deployed.js";
import { groupsOf, type Group } from "./groups.js";
import { hasNumber, withNumbers } from "./numbers.js";
import { inFlightOf, isNew, pendingGroups } from "./pending.js";
import { volumeChanges } from "./volume-changes.js";
import type { Spec } from "./yaml/schema.js";

/** The {@link volumeChanges} of a group that stands, each once. */
export function changesInPlace(group: Group, current: DeployedGroup): string[] {
  const numbered = withNumbers(group, current);
  const own = current.volumes.filter(({ host }) => hasNumber(numbered, host));
  return [...new Set(own.flatMap((volume) => volumeChanges(volume, group)))];
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
 * recorded with, come with these machines.
 */
export const leftByRoll = (group: Group, { hosts, volumes }: DeployedGroup): DeployedVolume[] =>
  volumes.filter((volume) => {
    const { type, sizeGib = 0 } = group.dataVolume ?? {};
    const isStaying = hosts.some(({ number, hash }) => number === volume.host && hash === group.hash);
    const isRecorded = volume.type === type && volume.sizeGib >= sizeGib;
    return volumeChanges(volume, group).length > 0 && (isStaying || isRecorded);
  });

/** `differs in place: volume 100 -> 200 GiB, iops 3000 -> 6000` */
export const describeInPlace = (group: Group, current: DeployedGroup): string =>
  `differs in place: ${changesInPlace(group, current).join(", ")}`;
