import type { Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import { isUnknown, type Observation, type Observed } from "../observation/observation.js";

/**
 * The servers of a group that have not left, and work, in the order in which they go: last the leader, so that leadership is
 * handed over once, else by number. One that does not vote, or is not healthy, works no more than one that is out: it goes
 * first, since the others would wait for it. Where nobody knows that is all of them.
 */
export function serverOrder(
  { consul, nomad }: Pick<Observation, "consul" | "nomad">,
  role: Role,
  hosts: readonly string[],
): string[] {
  const { members, raft, autopilot } = role === "consul-server" ? consul : nomad;
  const leads = named(raft, ({ leader }) => leader);
  const lives = named(members, ({ status }) => status === "alive");
  const votes = named(raft, ({ voter }) => voter);
  const unwell = named(isUnknown(autopilot) ? [] : autopilot.servers, ({ healthy }) => !healthy);
  return hosts
    .filter((host) => isUnknown(members) || lives.has(host))
    .filter((host) => isUnknown(raft) || votes.has(host))
    .filter((host) => !unwell.has(host))
    .sort((one, other) => Number(leads.has(one)) - Number(leads.has(other)));
}

const named = <T extends { readonly name: string }>(
  list: Observed<readonly T[]>,
  isMeant: (one: T) => boolean,
): ReadonlySet<string> =>
  new Set(isUnknown(list) ? [] : list.filter(isMeant).map(({ name }) => withoutRegion(name)));
