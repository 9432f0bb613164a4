import { groupsOf, roleOf, type Group } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";

/** What the order depends on besides the spec. */
export interface OrderInput {
  /** The groups in flight, in the order in which they are to be finished. */
  readonly inFlight: readonly string[];
  /** The groups whose servers lead. */
  readonly leaders: readonly string[];
}

/**
 * All groups in the order in which they are rolled: those in flight, what `rollout.order` names, then Consul servers,
 * Nomad servers and client pools as written. In a server pool the leader goes last, so that leadership is handed over once.
 * A group that `rollout.order` names keeps its place.
 */
export function rollOrder(spec: Spec, { inFlight, leaders }: OrderInput): Group[] {
  const groups = groupsOf(spec);
  const named = spec.rollout.order;
  const place = (group: Group): readonly number[] => [
    placeIn(inFlight, group.name),
    placeIn(named, named.includes(group.name) ? group.name : group.pool),
    groups.findIndex(({ pool }) => pool === group.pool),
    roleOf(group.pool) !== "client" && leaders.includes(group.name) ? 1 : 0,
    group.index,
  ];
  return groups
    .map((group) => ({ group, place: place(group) }))
    .sort((one, other) => compare(one.place, other.place))
    .map(({ group }) => group);
}

/** Behind all others where it is not in the list. */
function placeIn(list: readonly string[], name: string): number {
  const found = list.indexOf(name);
  return found === -1 ? list.length : found;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index]);
  return differing === -1 ? 0 : (one[differing] ?? 0) - (other[differing] ?? 0);
}
