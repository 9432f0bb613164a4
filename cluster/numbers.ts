import { parseAddress } from "./address.js";
import type { DeployedGroup } from "./deployed.js";
import { fromZero, numbersIn, type Group } from "./groups.js";

/**
 * Which numbers the hosts of a group have. A spec has a count alone, so it is what the group's record says. It says nothing where
 * they are counted from 0; of a group that surges its machines say it then. Where there are to be more, the lowest that are free
 * come; where there are to be fewer the highest go, but none of the desired template before one of another.
 */
export function numbersOf(group: Group, current: DeployedGroup | undefined): readonly number[] {
  if (!current) return fromZero(group.hosts);
  const there = current.hosts.map(({ number }) => number);
  const recorded = current.completed?.numbers ?? (group.surges || isRecordLost(current) ? there : undefined);
  if (!recorded) return fromZero(group.hosts);
  const isUpdated = (number: number): boolean =>
    current.hosts.some((host) => host.number === number && host.hash === group.hash);
  const known = [...new Set([...recorded, ...there])].sort(byNumber);
  const kept = known
    .toSorted((one, other) => Number(isUpdated(other)) - Number(isUpdated(one)))
    .slice(0, group.hosts);
  return [...kept, ...lowestFree(known, group.hosts - kept.length)].sort(byNumber);
}

/** The lowest numbers that are not taken. */
export const lowestFree = (taken: readonly number[], count: number): number[] =>
  fromZero(taken.length + count)
    .filter((number) => !taken.includes(number))
    .slice(0, Math.max(0, count));

/**
 * A group that knows the numbers of its hosts.
 * @param given those of a step of a surge; default: {@link numbersOf}
 */
export function withNumbers(
  group: Group,
  current: DeployedGroup | undefined,
  given?: readonly number[],
): Group {
  const numbers = given ?? numbersOf(group, current);
  const isFromZero = numbers.length === group.hosts && numbers.every((number, place) => number === place);
  return isFromZero && !given ? group : { ...group, numbers };
}

/** Whether a view only makes machines beside those that live: no work leaves, so `leave` is as it was. */
export function onlyAdds(
  group: Group,
  current: DeployedGroup | undefined,
  laterHosts: readonly string[] = [],
): boolean {
  if (!current?.leave || group.numbers === undefined || laterHosts.length === 0) return false;
  const { dead = [], tainted, hosts } = current;
  const isDead = (name: string): boolean => dead.some((address) => address.endsWith(`.${name}`));
  const stays = (hash: string, name: string): boolean => hash === group.hash || laterHosts.includes(name);
  return (
    !tainted.some((each) => parseAddress(each)?.kind === "host" && !dead.includes(each)) &&
    hosts.every(({ name, number, hash }) => isDead(name) || (hasNumber(group, number) && stays(hash, name)))
  );
}

/** Whether a group is to have a host of this number. */
export const hasNumber = (group: Pick<Group, "hosts" | "numbers">, number: number): boolean =>
  numbersIn(group).includes(number);

/** Where the record of a group is gone from the state, its machines still say what it was ready with. */
const isRecordLost = ({ revisions, ready, hosts }: DeployedGroup): boolean =>
  revisions.length === 0 && ready?.hosts === hosts.map(({ id }) => id).join(",");

const byNumber = (one: number, other: number): number => one - other;
