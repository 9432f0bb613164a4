/**
 * The number of a host in its group, counted from 0; undefined for whatever is no host of the group. The whole name
 * counts, so that `broker-1` and `broker-10` never mix.
 */
export function hostNumber(group: string, name: string): number | undefined {
  if (!name.startsWith(`${group}-`)) return undefined;
  const rest = name.slice(group.length + 1);
  return /^(0|[1-9]\d{0,5})$/.test(rest) ? Number(rest) : undefined;
}

export const isHostOf = (group: string, name: string): boolean => hostNumber(group, name) !== undefined;

/** Nomad's servers carry their region behind a dot, which no name of a host has: `nomad-server-0-0.global`. */
export const withoutRegion = (name: string): string => name.split(".")[0] ?? name;

/** Names of hosts in the order of their numbers. */
export function byNumber(group: string): (one: string, other: string) => number {
  return (one, other) => (hostNumber(group, one) ?? 0) - (hostNumber(group, other) ?? 0);
}
