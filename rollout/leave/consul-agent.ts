import { isMachineEnded } from "../observation/machine.js";
import type { CatalogNode, ConsulMember, Observation } from "../observation/observation.js";
import { stays, type LeaveOrder } from "./order.js";
import { step, wait, type Next } from "./step.js";

/** A client agent's leave takes 3.5 s, and 17 s without a leader. */
const LEAVE_SECONDS = 60;

/**
 * Makes the Consul client agents of hosts leave; undefined once none is left to ask or to wait for. An agent that has
 * failed is not asked, which {@link deadInConsul} says.
 */
export function leaveConsul(
  hosts: readonly string[],
  order: LeaveOrder,
  known: { readonly members: readonly ConsulMember[]; readonly catalog: readonly CatalogNode[] },
  { machines }: Observation,
): Next | undefined {
  const states = hosts
    .filter((host) => !isMachineEnded(machines, host))
    .map((host) => ({
      host,
      status: known.members.find(({ name }) => name === host)?.status,
      registered: known.catalog.some((node) => node.name === host && !stays(order, node)),
    }));
  const alive = states.filter(({ status }) => status === "alive");
  if (alive.length > 0) {
    return step({
      action: "consul-leave",
      hosts: alive.map(({ host }) => host),
      message: `${alive.map(({ host }) => host).join(", ")} ${alive.length === 1 ? "leaves" : "leave"} Consul`,
      deadlineSeconds: LEAVE_SECONDS,
    });
  }
  const lingering = states.filter(
    ({ status, registered }) => status === "leaving" || (status === "left" && registered),
  );
  if (lingering.length === 0) return undefined;
  return wait(
    "wait-consul-left",
    "waiting until Consul has forgotten the agents that leave",
    lingering.map(({ host, status }) =>
      status === "leaving" ? `${host} is leaving` : `${host} has left and is still in the catalog`,
    ),
    LEAVE_SECONDS,
  );
}

/** What is said of hosts whose Consul agents are not asked. */
export function deadInConsul(
  hosts: readonly string[],
  members: readonly ConsulMember[],
  { machines }: Observation,
): string[] {
  return hosts.flatMap((host) => {
    if (isMachineEnded(machines, host))
      return [`${host}: its machine is gone, so its agents are not asked to leave`];
    return members.some(({ name, status }) => name === host && status === "failed")
      ? [`${host}: failed in Consul, so its agent is not asked to leave`]
      : [];
  });
}
