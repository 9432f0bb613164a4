import { hostAddress, HOST_KINDS, type PlatformName } from "../../cluster/address.js";
import type { DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import type { Group } from "../../cluster/groups.js";
import { hasNumber } from "../../cluster/numbers.js";
import { isConfigured } from "../../cluster/pending.js";

/** Which machines of a group are replaced next. Names of hosts, by number. */
export interface Batch {
  /** Machines of the desired template that stand. */
  readonly updated: readonly string[];
  /** Machines that stand and work, and are replaced now. */
  readonly updating: readonly string[];
  /** Machines that stand and work, and are replaced later. */
  readonly laterHosts: readonly string[];
}

/**
 * The next batch of a group, from what is desired and deployed alone, so that a roll that was cut off anywhere goes on where
 * it is. Machines that are out already are always part of it and count: those that are missing, tainted, have left, or go
 * for good. Where `leave` is gone from the state, none that works may go before it is there again.
 * @param maxUnavailable how many machines may be out at once; Infinity: all of them
 */
export function nextBatch(
  group: Pick<Group, "name" | "role" | "hosts" | "numbers" | "hash">,
  current: DeployedGroup,
  { maxUnavailable, platform }: { readonly maxUnavailable: number; readonly platform: PlatformName },
): Batch {
  const hosts = [...current.hosts].sort((one, other) => one.number - other.number);
  const kept = hosts.filter(({ number }) => hasNumber(group, number));
  const standing = kept.filter((host) => !isOut(host, current, platform));
  const old = standing.filter(({ hash }) => hash !== group.hash);
  const updated = standing.filter(({ hash }) => hash === group.hash).map(({ name }) => name);
  // A server pool has one host a group, which goes as a whole.
  if (group.role !== "client") return { updated, updating: old.map(({ name }) => name), laterHosts: [] };
  const goForGood = hosts.length - kept.length;
  const out = group.hosts - standing.length + goForGood;
  const most = current.leave ? Math.max(0, maxUnavailable - out) : 0;
  return {
    updated,
    updating: old.slice(0, most).map(({ name }) => name),
    laterHosts: old.slice(most).map(({ name }) => name),
  };
}

/** Whether a machine is as good as gone: no freeze holds what is tainted, and what has left is out of Consul. */
function isOut(host: DeployedHost, group: DeployedGroup, platform: PlatformName): boolean {
  const isTainted = HOST_KINDS.some(
    (kind) =>
      kind !== "config-consul" &&
      kind !== "data" &&
      group.tainted.includes(hostAddress(platform, group.name, host.number, kind)),
  );
  return isTainted || (!group.leave && !isConfigured(host, group, platform));
}
