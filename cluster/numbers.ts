import type { DeployedGroup } from "./deployed.js";
import { fromZero, numbersIn, type Group } from "./groups.js";

/**
 * Which numbers the hosts of a group have. A spec has a count alone, so it is what the group's record says, and counted from 0
 * where it says nothing, as it never does of a group whose numbers are these. Where there are to be more, the lowest that are
 * free come; where there are to be fewer the highest go, but none of the desired template before one of another.
 */
export function numbersOf(group: Group, current: DeployedGroup | undefined): readonly number[] {
  const recorded = current?.completed?.numbers ?? ofLostRecord(current);
  if (!current || !recorded) return fromZero(group.hosts);
  const isUpdated = (number: number): boolean =>
    current.hosts.some((host) => host.number === number && host.hash === group.hash);
  const known = [...new Set([...recorded, ...current.hosts.map(({ number }) => number)])].sort(byNumber);
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

/** A group that knows the numbers of its hosts. */
export function withNumbers(
  group: Group,
  current: DeployedGroup | undefined,
  numbers = numbersOf(group, current),
): Group {
  const isFromZero = numbers.length === group.hosts && numbers.every((number, place) => number === place);
  return isFromZero ? group : { ...group, numbers };
}

/** Whether a group is to have a host of this number. */
export const hasNumber = (group: Pick<Group, "hosts" | "numbers">, number: number): boolean =>
  numbersIn(group).includes(number);

/** Where the record of a group is gone from the state, its machines still say what it was ready with. */
const ofLostRecord = (current: DeployedGroup | undefined): number[] | undefined =>
  current?.revisions.length === 0 && current.ready?.hosts === current.hosts.map(({ id }) => id).join(",")
    ? current.hosts.map(({ number }) => number)
    : undefined;

const byNumber = (one: number, other: number): number => one - other;
