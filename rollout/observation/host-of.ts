import { parseHostName } from "../../cluster/address.js";

/** The number of a host in its group, counted from 0; undefined for whatever is no host of the group. */
export const hostNumber = (group: string, name: string): number | undefined => {
  const member = name.startsWith(`${group}-`) ? parseHostName(name) : undefined;
  return member?.group === group ? member.host : undefined;
};

export const isHostOf = (group: string, name: string): boolean => hostNumber(group, name) !== undefined;

/** Nomad's servers carry their region behind a dot, which no name of a host has: `nomad-server-0-0.global`. */
export const withoutRegion = (name: string): string => name.split(".")[0] ?? name;

/** Names of hosts in the order of their numbers. */
export function byNumber(group: string): (one: string, other: string) => number {
  return (one, other) => (hostNumber(group, one) ?? 0) - (hostNumber(group, other) ?? 0);
}
