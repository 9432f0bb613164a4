import { isUnknown, type Machine, type NomadNode, type Observed } from "./observation.js";

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

type NodeRecord = Pick<NomadNode, "id" | "name"> & { readonly status: string };

/**
 * Whether a record of Nomad is of a machine that is gone. Nomad may call it `disconnected` for good: then it is proven by EC2, or
 * by a ready record of the name, where that has only one machine. What is ready may live.
 */
export function isDeadRecord(
  { id, name, status }: NodeRecord,
  nodes: readonly NodeRecord[],
  machines: Observed<readonly Machine[]>,
): boolean {
  if (status === "down" || status === "ready") return status === "down";
  const isOne = isUnknown(machines)
    ? machines.absent === true
    : machines.filter((machine) => machine.host === name && isThere(machine)).length === 1;
  const isSucceeded = nodes.some((one) => one.name === name && one.id !== id && one.status === "ready");
  return (isOne && isSucceeded) || isMachineEnded(machines, name);
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
