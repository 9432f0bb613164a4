import type { Known } from "../observation/known.js";
import type { Observation } from "../observation/observation.js";
import { hostsAmong, missingHosts } from "./missing-hosts.js";
import { isLater, stays, type LeaveOrder } from "./order.js";
import { askVoters, keepQuorum, memberOf, peersOf, successorOf, type Servers } from "./quorum.js";
import { step, type Next } from "./step.js";
import type { Finding } from "../preflight/finding.js";

/** How a server goes, as far as Consul and Nomad differ in it. */
interface Way {
  /** Whether it is stopped, whatever the others still say of it. */
  readonly isStopped: boolean;
  readonly waitGone: (remaining: readonly string[]) => Next;
  /** Taken before anything is taken from the servers. */
  readonly hasSnapshot: boolean;
  readonly canTransfer: boolean;
  readonly leave: (leads: boolean) => Next;
}

/** The servers of a group that go now and later, in their order; what is missing of them, where the list may not be trusted. */
export function serversThatGo(
  names: readonly string[],
  catalog: Known<Observation["consul"]>["catalog"],
  order: LeaveOrder,
  observation: Observation,
): Readonly<Record<"going" | "later", readonly string[]>> & { readonly missing: readonly Finding[] } {
  const found = hostsAmong(order.group, names);
  const staying = new Set(catalog.filter((node) => stays(order, node)).map(({ name }) => name));
  const leaving = found.filter((host) => !staying.has(host));
  return {
    going: leaving.filter((host) => !isLater(order, host)),
    later: leaving.filter((host) => isLater(order, host)),
    missing: missingHosts(found, order, observation),
  };
}

/** A snapshot is of use while it is younger than this. */
const SNAPSHOT_SECONDS = 900;

export const isFresh = (snapshotAt: number | null, at: number): boolean =>
  snapshotAt !== null && at - snapshotAt <= SNAPSHOT_SECONDS * 1000;

/** A server's way out, with leadership handed over where it can be. Undefined once nobody knows it any more. */
export function nextOfServer(host: string, servers: Servers, way: Way): Next | undefined {
  const { kind } = servers;
  const name = kind === "Consul" ? "consul" : "nomad";
  const member = memberOf(host, servers);
  const peers = peersOf(host, servers);
  const [peer] = peers;
  const inSight = member?.status === "alive" || member?.status === "leaving";
  if (inSight && (member.status === "leaving" || way.isStopped)) {
    return way.waitGone([
      `member ${member.name} is ${member.status}`,
      ...peers.map(({ id }) => `peer ${id} is in raft`),
    ]);
  }
  // One that has left needs no vote; for any other, also a dead one, the others have to carry the majority.
  if (!inSight && !peer && member?.status !== "failed") return undefined;
  if ((inSight || peer) && !way.hasSnapshot)
    return step({
      action: `snapshot-${name}`,
      message: `a snapshot of ${kind} is kept`,
      deadlineSeconds: 300,
    });
  const unsafe = keepQuorum(host, servers);
  if (unsafe) return unsafe;
  if (!inSight && !peer) return undefined;
  const unproven = askVoters(host, servers);
  if (unproven) return unproven;
  if (peer && !inSight) {
    return step({
      action: `remove-${name}-peer`,
      peer: { id: peer.id, name: peer.name },
      message: `the peer of ${host}, which is ${member?.status ?? "no member any more"}, is removed from ${kind}'s raft`,
      deadlineSeconds: 60,
    });
  }
  const heir = successorOf(host, servers);
  const leads = peers.some(({ leader }) => leader);
  if (!leads || !way.canTransfer || !heir) return way.leave(leads);
  return step({
    action: `transfer-${name}-leadership`,
    to: heir,
    message: `${host} hands the leadership of ${kind} over to ${heir.name}`,
    deadlineSeconds: 60,
  });
}
