import type { PlatformName } from "../../cluster/address.js";
import type { DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import { type Group, numbersIn } from "../../cluster/groups.js";
import { hasNumber, lowestFree } from "../../cluster/numbers.js";
import { deployedHash, isMade, isOut, isOutOfSurge } from "../../cluster/pending.js";

/** Which machines of a group are replaced next. Names of hosts, by number. */
export interface Batch {
  /** Machines of the desired template that stand. */
  readonly updated: readonly string[];
  /** Machines that stand and work, and are replaced now. */
  readonly updating: readonly string[];
  /** Machines that stand and work, and are replaced later. */
  readonly laterHosts: readonly string[];
  /** The numbers that the group has with this step of a surge, or while servers go for good one after another; absent else. */
  readonly numbers?: readonly number[];
}

interface Pace {
  readonly maxUnavailable: number;
  readonly maxSurge?: number;
  readonly platform: PlatformName;
}

/**
 * The next batch of a group, from what is desired and deployed alone, so that a roll that was cut off anywhere goes on where
 * it is. Machines that are out already are always part of it and count: those that are missing, tainted, have left, or go
 * for good. Where `leave` is gone from the state, no client that works may go before it is there again; which of the servers
 * has left by then the state does not tell, and the driver asks them.
 * @param pace `maxUnavailable`: how many machines may be out at once; Infinity: all of them
 */
export function nextBatch(
  group: Pick<Group, "name" | "role" | "hosts" | "numbers" | "hash">,
  current: DeployedGroup,
  pace: Pace,
): Batch {
  const { maxUnavailable, platform } = pace;
  const surge = nextSurge(group, current, pace);
  if (surge) return surge;
  const hosts = [...current.hosts].sort((one, other) => one.number - other.number);
  const isServer = group.role !== "client";
  const kept = hosts.filter(({ number }) => hasNumber(group, number));
  const standing = kept.filter((host) => !isOut(host, current, platform));
  const place = ({ name }: DeployedHost): number => current.order?.indexOf(name) ?? 0;
  const sorted = standing
    .filter(({ hash }) => hash !== group.hash)
    .sort((one, other) => place(one) - place(other));
  const updated = standing.filter(({ hash }) => hash === group.hash).map(({ name }) => name);
  const goForGood = hosts
    .filter((host) => !kept.includes(host))
    .sort((one, other) => place(one) - place(other));
  const working = goForGood.filter((host) => !isOut(host, current, platform));
  const outInState = group.hosts - standing.length + goForGood.length;
  // A server that has left already goes on: what is new would wait for its vote before it.
  const left = outInState === 0 && sorted[0] && place(sorted[0]) === -1 ? 1 : 0;
  const old = sorted.slice(left);
  const out = outInState + left;
  const most = current.leave || isServer ? Math.max(0, maxUnavailable - out) : 0;
  // Of servers that go for good the others stay for now: one goes at a time.
  const isAnyOut = working.length < goForGood.length || standing.length < kept.length;
  const remaining = isServer ? working.slice(isAnyOut ? 0 : 1) : [];
  const numbers = [...numbersIn(group), ...remaining.map(({ number }) => number)];
  const later = [...old.slice(most), ...remaining.filter(({ hash }) => hash !== group.hash)];
  return {
    updated,
    updating: old.slice(0, most).map(({ name }) => name),
    laterHosts: later.map(({ name }) => name),
    ...(remaining.length > 0 ? { numbers: numbers.sort((one, other) => one - other) } : {}),
  };
}

/**
 * The next step where new machines come first: as many as may stand beyond the group's number; then, once these are proven, as
 * many old ones go for good as are not needed. What is out already is mended before either, and an old one of it goes.
 */
function nextSurge(
  group: Pick<Group, "hosts" | "hash">,
  current: DeployedGroup,
  { maxUnavailable, maxSurge = 0, platform }: Pace,
): Batch | undefined {
  const hosts = [...current.hosts].sort((one, other) => one.number - other.number);
  const standing = hosts.filter((host) => !isOutOfSurge(host, current, group.hash, platform));
  const isOld = ({ hash }: { readonly hash: string }): boolean => hash !== group.hash;
  // The surplus of an earlier image goes first: nobody has proven it.
  const isSurplus = ({ hash }: DeployedHost): boolean => hash !== deployedHash(current);
  const old = standing.filter(isOld).sort((one, other) => Number(isSurplus(other)) - Number(isSurplus(one)));
  if (maxSurge === 0 || old.length === 0 || group.hosts === 0) return undefined;
  const updated = standing.filter((host) => !isOld(host));
  const areMade = updated.every((host) => isMade(host, current, platform));
  const isMended = standing.length < hosts.length || !current.leave || !areMade;
  const room = Math.min(group.hosts - updated.length, group.hosts + maxSurge - standing.length);
  const more = isMended ? 0 : Math.max(0, room);
  const spare = isMended || more > 0 ? 0 : Math.max(0, standing.length - group.hosts + maxUnavailable);
  const [updating, later] = [old.slice(0, spare), old.slice(spare)];
  const kept = hosts.filter((host) => !updating.includes(host) && (!isOld(host) || standing.includes(host)));
  const numbersOf = (each: typeof hosts): number[] => each.map(({ number }) => number);
  const numbers = [...numbersOf(kept), ...lowestFree(numbersOf(hosts), more)];
  const names = (each: typeof hosts): string[] => each.map(({ name }) => name);
  return {
    ...{ updated: names(updated), updating: names(updating), laterHosts: names(later) },
    numbers: numbers.sort((one, other) => one - other),
  };
}
