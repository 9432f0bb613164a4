import type { Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import {
  SERVERS,
  isUnknown,
  type Autopilot,
  type Observation,
  type Observed,
  type RaftPeer,
} from "../observation/observation.js";
import { raftKnowsName } from "../leave/quorum.js";
import { wholeServers, type Servers } from "../ready/votes.js";
import type { Finding } from "./finding.js";

/** The group that is to be rolled. */
interface Target {
  readonly name: string;
  readonly role: Role;
  readonly hosts: readonly string[];
}

/**
 * A server may go only while another may fail. If the one that is to go is dead already, it is what is missing: then the
 * others have to be healthy voters.
 */
export function tolerance(observation: Observation, target: Target): Finding[] {
  if (target.role === "client") return [];
  const kind = target.role === "consul-server" ? "Consul" : "Nomad";
  const { autopilot, members, raft } =
    target.role === "consul-server" ? observation.consul : observation.nomad;
  if (isUnknown(autopilot) || isUnknown(members)) return [];
  const alive = new Set(
    members.filter(({ status }) => status === "alive").map(({ name }) => withoutRegion(name)),
  );
  const isDead = !target.hosts.some((host) => alive.has(host));
  const found = isDead ? othersHealthy(autopilot, target, kind) : enoughTolerance(autopilot, target, kind);
  if (found.length === 0 && !isUnknown(raft)) return neverWhole(kind, { autopilot, raft }, target, isDead);
  // Autopilot speaks of an election for some seconds after it, while raft and the members have nothing against the roll.
  return isLate(raft, alive, SERVERS - (isDead ? 1 : 0))
    ? found.map((finding) => ({ ...finding, passing: true }))
    : found;
}

/**
 * What the gate is going to demand of the servers and the roll does not mend: the gate's own conditions, of the servers as
 * the roll leaves them. Its group's peers have gone by then, and autopilot removes one without a name for a server that died.
 */
function neverWhole(
  kind: string,
  servers: Servers,
  { name, role, hosts }: Target,
  isDead: boolean,
): Finding[] {
  const isLeft = (peer: { readonly name: string }): boolean =>
    !hosts.includes(withoutRegion(peer.name)) && !(isDead && !raftKnowsName(peer));
  const anew = hosts.map((host) => ({
    ...{ id: `the next ${host}`, name: host, address: "", stableSince: 0 },
    ...{ voter: true, leader: true, healthy: true },
  }));
  const raft = [...servers.raft.filter(isLeft), ...anew];
  const after = [...servers.autopilot.servers.filter(isLeft), ...anew];
  const autopilot = { healthy: after.every(({ healthy }) => healthy), failureTolerance: 1, servers: after };
  const [unmet] = wholeServers({ autopilot, raft }, role).filter(({ status }) => status !== "met");
  if (!unmet) return [];
  // Autopilot lags by some seconds.
  const isLag = raft.length === SERVERS && raft.every(({ voter }) => voter);
  return [
    {
      subject: name,
      message: `could not be ready again: once it is rolled, ${unmet.reason}`,
      remedy: `first let ${kind} have its ${String(SERVERS)} servers and no others (${kind.toLowerCase()} operator raft list-peers)`,
      ...(isLag ? { passing: true } : {}),
    },
  ];
}

function isLate(raft: Observed<readonly RaftPeer[]>, alive: ReadonlySet<string>, wanted: number): boolean {
  if (isUnknown(raft)) return raft.passing === true;
  return raft.filter(({ name, voter }) => voter && alive.has(withoutRegion(name))).length === wanted;
}

function enoughTolerance(autopilot: Autopilot, target: Target, kind: string): Finding[] {
  const voters = autopilot.servers.filter(({ voter }) => voter).length;
  const isWell = autopilot.healthy && autopilot.failureTolerance >= 1 && voters === SERVERS;
  if (isWell) return [];
  return [
    {
      subject: target.name,
      message: `${kind} tolerates no failure now: ${String(voters)} of ${String(SERVERS)} servers vote, failure tolerance ${String(autopilot.failureTolerance)}, ${autopilot.healthy ? "healthy" : "not healthy"}`,
      remedy: `wait until ${kind}'s servers are whole (${kind.toLowerCase()} operator raft list-peers)`,
    },
  ];
}

function othersHealthy({ servers }: Autopilot, target: Target, kind: string): Finding[] {
  const well = servers.filter(
    ({ name, voter, healthy }) => voter && healthy && !target.hosts.includes(withoutRegion(name)),
  );
  if (well.length >= SERVERS - 1) return [];
  return [
    {
      subject: target.name,
      message: `its ${kind} server is dead, and only ${String(well.length)} of the other ${String(SERVERS - 1)} are healthy voters`,
      remedy: `make the other servers of ${kind} whole first`,
    },
  ];
}
