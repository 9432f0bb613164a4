import type { Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import { isUnknown, type Observation, type Observed } from "../observation/observation.js";

/**
 * The servers of a group that have not left, and work, in the order in which they go: last the leader, so that leadership is
 * handed over once, else by number. Where nobody knows that is all of them.
 */
export function serverOrder(
  { consul, nomad }: Pick<Observation, "consul" | "nomad">,
  role: Role,
  hosts: readonly string[],
): string[] {
  const { members, raft } = role === "consul-server" ? consul : nomad;
  const leads = named(raft, ({ leader }) => leader);
  const lives = named(members, ({ status }) => status === "alive");
  return hosts
    .filter((host) => isUnknown(members) || lives.has(host))
    .sort((one, other) => Number(leads.has(one)) - Number(leads.has(other)));
}

const named = <T extends { readonly name: string }>(
  list: Observed<readonly T[]>,
  isMeant: (one: T) => boolean,
): ReadonlySet<string> =>
  new Set(isUnknown(list) ? [] : list.filter(isMeant).map(({ name }) => withoutRegion(name)));
