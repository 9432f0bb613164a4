import type { Deployed, DeployedGroup, DeployedHost } from "./deployed.js";

/** The attempt that a group's record names for each of its machines, by id. */
export const recordedIn = ({ completed }: Pick<DeployedGroup, "completed">): ReadonlyMap<string, number> =>
  new Map(
    [...(completed?.hosts ?? "").matchAll(/([^,:]+):(\d+)/g)].map(([, id = "", attempt]) => [
      id,
      Number(attempt),
    ]),
  );

/**
 * Whether the hooks of a machine have ended, as far as its group's record tells. A lower number than it names is of a view that
 * was made before, and has run since.
 */
export function isHostProven(
  { id = "", startAgents, configConsul }: DeployedHost,
  recorded: ReadonlyMap<string, number>,
): boolean {
  const attempt = recorded.get(id);
  return (
    attempt !== undefined &&
    [startAgents, configConsul].every((hook) => !hook || (hook.attempt ?? 0) === attempt)
  );
}

/**
 * Whether create hooks of a group stand in the state and may never have ended. Not of a group that has no number: it was last
 * rolled by a version that wrote none, and is as whole as its members say.
 */
export function hasUnended(group: DeployedGroup): boolean {
  const { hosts, ready, completed } = group;
  const hooks = [ready, ...hosts.flatMap(({ startAgents, configConsul }) => [startAgents, configConsul])];
  if (!completed) return hooks.some((hook) => hook?.attempt !== undefined);
  const recorded = recordedIn(group);
  return !hosts.every((host) => isHostProven(host, recorded)) || (ready !== undefined && !isPassed(group));
}

/** Whether a machine of a template was made after one of another: the attempts of a group only count up. */
export function isMadeAfterOthers(group: DeployedGroup, hash: string): boolean {
  const recorded = recordedIn(group);
  const attempts = (isMeant: (host: DeployedHost) => boolean): number[] =>
    group.hosts.filter(isMeant).flatMap(({ id = "" }) => recorded.get(id) ?? []);
  const others = attempts((host) => host.hash !== hash);
  return attempts((host) => host.hash === hash).some((attempt) => attempt > Math.min(...others));
}

/** Whether the `ready` that stands there is the one that is recorded. */
export const isPassed = ({ ready, completed }: Pick<DeployedGroup, "ready" | "completed">): boolean =>
  ready?.attempt === completed?.attempt && (!completed || ready?.gate === completed.gate);

/** Whether machines were told of Consul servers by a roll of which nobody knows whether all have been told. */
export function isUntold({ groups }: Pick<Deployed, "groups">): boolean {
  const all = [...groups.values()];
  const told = Math.max(0, ...all.map(({ completed }) => completed?.consul ?? 0));
  return all.some(({ hosts }) => hosts.some(({ configConsul }) => (configConsul?.consul ?? told) !== told));
}
