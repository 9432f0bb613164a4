import type { Deployed, DeployedGroup, DeployedHost } from "./deployed.js";

/** Whether the hooks of a machine have ended, as far as its group's record tells. */
export const isHostProven = (host: DeployedHost, { completed }: Pick<DeployedGroup, "completed">): boolean =>
  completed !== undefined &&
  completed.hosts.split(",").includes(host.id ?? "") &&
  highestOf(host) <= completed.attempt;

/**
 * Whether create hooks of a group stand in the state and may never have ended. Not of a group that has no number: it was last
 * rolled by a version that wrote none, and is as whole as its members say.
 */
export function hasUnended(group: DeployedGroup): boolean {
  const { hosts, ready, completed } = group;
  const highest = Math.max(ready?.attempt ?? 0, ...hosts.map(highestOf));
  if (highest > (completed?.attempt ?? 0)) return true;
  return completed !== undefined && !hosts.every((host) => isHostProven(host, group));
}

/** Whether machines were told of Consul servers by a roll of which nobody knows whether all have been told. */
export function isUntold({ groups }: Pick<Deployed, "groups">): boolean {
  const all = [...groups.values()];
  const told = Math.max(0, ...all.map(({ completed }) => completed?.consul ?? 0));
  return all.some(({ hosts }) => hosts.some(({ configConsul }) => (configConsul?.consul ?? 0) > told));
}

const highestOf = ({ startAgents, configConsul }: DeployedHost): number =>
  Math.max(startAgents?.attempt ?? 0, configConsul?.attempt ?? 0);
