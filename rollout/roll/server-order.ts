import type { Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import { isUnknown, type Observation, type Observed } from "../observation/observation.js";

/**
 * The servers of a group in the order in which they go: first one that has left or does not work, since another's leave would
 * wait for it, and last the leader, so that leadership is handed over once. Else by number.
 */
export function serverOrder(
  { consul, nomad }: Pick<Observation, "consul" | "nomad">,
  role: Role,
  hosts: readonly string[],
): string[] {
  const { members, raft } = role === "consul-server" ? consul : nomad;
  const leads = named(raft, ({ leader }) => leader);
  const lives = named(members, ({ status }) => status === "alive");
  const place = (host: string): number =>
    leads.has(host) ? 2 : isUnknown(members) || lives.has(host) ? 1 : 0;
  return hosts.toSorted((one, other) => place(one) - place(other));
}

const named = <T extends { readonly name: string }>(
  list: Observed<readonly T[]>,
  isMeant: (one: T) => boolean,
): ReadonlySet<string> =>
  new Set(isUnknown(list) ? [] : list.filter(isMeant).map(({ name }) => withoutRegion(name)));
