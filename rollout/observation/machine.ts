import { isUnknown, type Machine, type Observed } from "./observation.js";

const isThere = ({ state }: Machine): boolean => state !== "terminated" && state !== "shutting-down";

/**
 * Whether EC2 itself says that the machine of a host is ended. One that is not listed may only have lost its tags, so
 * that is no reason to pass over agents that answer.
 */
export function isMachineEnded(machines: Observed<readonly Machine[]>, host: string): boolean {
  if (isUnknown(machines)) return false;
  const own = machines.filter((machine) => machine.host === host);
  return own.length > 0 && !own.some(isThere);
}

/**
 * Whether there is no machine of hosts that neither Consul nor Nomad know. An empty list proves nothing (another region
 * or account looks the same): some other machine of the cluster has to be in it.
 */
export function areAbsent(
  machines: Observed<readonly Machine[]>,
  isMeant: (host: string) => boolean,
): boolean {
  if (isUnknown(machines)) return false;
  const there = machines.filter(isThere);
  return there.length > 0 && !there.some(({ host }) => isMeant(host));
}
