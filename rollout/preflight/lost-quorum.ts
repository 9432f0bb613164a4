import type { Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import { isUnknown, type Observation } from "../observation/observation.js";
import type { ClusterGroup } from "../ready/expected.js";
import { isOurConsul, isOurNomad } from "./died.js";

/** That most servers of a kind are not alive: no group is rolled then, and each that is dead would wait for another. */
export interface LostQuorum {
  readonly kind: "Consul" | "Nomad";
  /** `consul-server-0-0 is failed` */
  readonly dead: readonly { readonly host: string; readonly why: string }[];
  readonly alive: readonly string[];
  readonly all: number;
  /** The groups to be created anew, once a leader stands that counts on none of the dead; empty before that. */
  readonly anew: readonly string[];
}

/** Undefined where most are alive, or nobody knows, and where whoever was asked knows none of them alive. */
export function lostQuorum(
  observation: Observation,
  role: Role,
  { name: cluster, groups }: { readonly name: string; readonly groups: readonly ClusterGroup[] },
): LostQuorum | undefined {
  if (role === "client") return undefined;
  const { consul, nomad } = observation;
  const kind = role === "consul-server" ? "Consul" : "Nomad";
  const { members, raft } = role === "consul-server" ? consul : nomad;
  if (isUnknown(members)) return undefined;
  const statusOf = (host: string): string =>
    members.find(({ name }) => withoutRegion(name) === host)?.status ?? "no member";
  const servers = groups.filter((group) => group.role === role);
  const hosts = servers.flatMap((group) => group.hosts);
  const alive = hosts.filter((host) => statusOf(host) === "alive");
  const dead = hosts.filter((host) => !alive.includes(host));
  if (alive.length === 0 || dead.length * 2 <= hosts.length) return undefined;
  const peers = isUnknown(raft) ? [] : raft;
  // A Nomad server is known by the clients that it has.
  const isOurs =
    isOurConsul(observation, cluster) &&
    (kind === "Consul" || (!isUnknown(nomad.nodes) && isOurNomad(observation, "client", cluster)));
  const isMended =
    isOurs &&
    peers.some(({ leader }) => leader) &&
    peers.every(({ name }) => alive.includes(withoutRegion(name)));
  const stands = standing(observation, role);
  // A group of which some are alive is not made anew whole: its own roll mends it, once most servers are there.
  const gone = servers.filter((group) => group.hosts.every((host) => dead.includes(host) && !stands(host)));
  return {
    kind,
    dead: dead.map((host) => ({ host, why: `${host} is ${statusOf(host)}` })),
    alive,
    all: hosts.length,
    anew: isMended ? gone.map(({ name }) => name) : [],
  };
}

/** Whether something is known to be there still of the machine of a server that is not alive: EC2 runs it, or its Consul agent lives. */
function standing({ consul: { members }, machines }: Observation, role: Role): (host: string) => boolean {
  const there = new Set([
    ...(isUnknown(machines) ? [] : machines)
      .filter(({ state }) => state === "running" || state === "pending")
      .map(({ host }) => host),
    ...(role === "consul-server" || isUnknown(members) ? [] : members)
      .filter(({ status }) => status === "alive")
      .map(({ name }) => name),
  ]);
  return (host) => there.has(host);
}

const PAGE = "docs/how-to/11-quorum-is-lost.md";

/**
 * Why a group is not rolled then, and the way out.
 * @param forget takes what is left of some groups out of the state, and creates them
 */
export function describeLost(
  { kind, dead, alive, all, anew }: LostQuorum,
  group: string,
  forget: (groups: readonly string[]) => string,
): string {
  const unit = kind.toLowerCase();
  const what = `${group} is not rolled: ${String(dead.length)} of ${String(all)} ${kind} servers are not alive (${dead.map(({ why }) => why).join(", ")})`;
  if (anew.length > 0)
    return `${what}, and each would wait for the others; where their machines are gone for good, ${anew.join(" and ")} are created anew together, as ${PAGE} says: ${forget(anew)}`;
  const starts = dead.map(({ host }) => `sudo systemctl start ${unit} on ${host}`).join(", and ");
  return `${what}, and a majority has to be; where their machines still stand: ${starts}; where they are gone for good, make ${alive.join(" or ")} the only peer, as ${PAGE} says, and run this again`;
}
