import { groupAddress, hostAddress, type PlatformName } from "./address.js";
import type { DeployedGroup, DeployedHost } from "./deployed.js";

/** Whether the hooks of a machine have ended, as far as its group's record tells. */
export const isHostProven = (
  { id = "", startAgents, configConsul }: DeployedHost,
  { completed }: DeployedGroup,
): boolean =>
  completed !== undefined &&
  completed.hosts.split(",").includes(id) &&
  Math.max(startAgents?.attempt ?? 0, configConsul?.attempt ?? 0) <= completed.attempt;

/**
 * The hooks of a group that stand in the state and may never have ended. None of a group that has no number: it was last
 * rolled by a version that wrote none, and is as whole as its members say.
 */
export function unended(group: DeployedGroup, platform: PlatformName): string[] {
  const { name, hosts, ready, completed } = group;
  const hooks = [
    ...hosts.flatMap(({ number, startAgents, configConsul }) => [
      [hostAddress(platform, name, number, "start-agents"), startAgents?.attempt] as const,
      [hostAddress(platform, name, number, "config-consul"), configConsul?.attempt] as const,
    ]),
    [groupAddress(platform, name, "ready"), ready?.attempt] as const,
  ];
  const done = completed?.attempt ?? 0;
  const open = hooks.flatMap(([address, attempt = 0]) => (attempt > done ? [mayNotHaveEnded(address)] : []));
  if (!completed || open.length > 0) return open;
  return hosts
    .filter((host) => !isHostProven(host, group))
    .map(({ number }) => mayNotHaveEnded(hostAddress(platform, name, number, "config-consul")));
}

export const mayNotHaveEnded = (address: string): string => `${address} may not have ended`;
