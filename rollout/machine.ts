import { isHostOf } from "./host-of.js";
import { isUnknown, type Machine, type Observed } from "./observation.js";

const isThere = ({ state }: Machine): boolean => state !== "terminated" && state !== "shutting-down";

/**
 * Whether the machine of a host is proven to be gone. An empty list proves nothing (another region or account looks the
 * same): some other machine of the cluster has to be in it.
 */
export function isMachineGone(machines: Observed<readonly Machine[]>, host: string): boolean {
  return proves(machines, (name) => name === host);
}

/** The same for all machines of a group. */
export function isGroupGone(machines: Observed<readonly Machine[]>, group: string): boolean {
  return proves(machines, (name) => isHostOf(group, name));
}

function proves(machines: Observed<readonly Machine[]>, isMeant: (host: string) => boolean): boolean {
  if (isUnknown(machines)) return false;
  const there = machines.filter(isThere);
  return there.length > 0 && !there.some(({ host }) => isMeant(host));
}
