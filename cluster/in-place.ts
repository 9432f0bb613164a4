import type { Deployed, DeployedGroup } from "./deployed.js";
import { groupsOf, type Group } from "./groups.js";
import { hasNumber, withNumbers } from "./numbers.js";
import { isNew } from "./pending.js";
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

/** `differs in place: volume 100 -> 200 GiB, iops 3000 -> 6000` */
export const describeInPlace = (group: Group, current: DeployedGroup): string =>
  `differs in place: ${changesInPlace(group, current).join(", ")}`;
