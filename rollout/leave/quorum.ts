import type { Finding } from "../preflight/finding.js";
import { withoutRegion } from "../observation/host-of.js";
import {
  isUnknown,
  type AgentSelf,
  type Autopilot,
  type AutopilotServer,
  type ConsulMember,
  type RaftPeer,
} from "../observation/observation.js";
import { blocked, wait, type Next, type ServerRef } from "./step.js";

/** What is known of the servers of Consul or of Nomad. */
export interface Servers {
  readonly kind: "Consul" | "Nomad";
  readonly members: readonly ConsulMember[];
  readonly autopilot: Autopilot;
  readonly raft: readonly RaftPeer[];
  /** What the machines' own agents say, as far as they were asked in this look. */
  readonly agents: readonly AgentSelf[];
  /** The hosts that leave, now or later. */
  readonly leaving: readonly string[];
  /** The hosts that stand in the group and are to stand in it afterwards. */
  readonly neighbours: readonly string[];
  /** How many there are to be. */
  readonly all: number;
}

/** The member of a host. */
export const memberOf = (host: string, { members }: Servers): ConsulMember | undefined =>
  members.find(({ name }) => withoutRegion(name) === host);

/** The peers of a host: its name counts, and where raft knows none, its address. */
export function peersOf(host: string, servers: Servers): RaftPeer[] {
  const address = memberOf(host, servers)?.address;
  return servers.raft.filter(
    (peer) =>
      withoutRegion(peer.name) === host ||
      (!raftKnowsName(peer) && address !== undefined && peer.address.startsWith(`${address}:`)),
  );
}

export const raftKnowsName = ({ name }: Pick<RaftPeer, "name">): boolean =>
  name !== "" && name !== "(unknown)";

/**
 * Whether a server may go: all others that vote are healthy, and they are a majority of all; and one that votes goes while
 * none of its group is out. What an election explains is waited for; what it does not is refused. Undefined when it may, once
 * {@link askVoters} has nothing against it.
 */
export function keepQuorum(host: string, servers: Servers): Next | undefined {
  const others = otherVoters(host, servers);
  const lost = others.filter((peer) => !isAlive(peer, servers));
  const findings = [
    ...lost.map((peer) => notAlive(host, peer, servers)),
    ...(others.length < majorityOf(servers) ? [tooFew(host, others, servers)] : []),
  ];
  if (findings.length > 0) return blocked(findings);
  const unwell = [
    ...others
      .filter((peer) => healthOf(peer, servers)?.voter !== true || healthOf(peer, servers)?.healthy !== true)
      .map(({ name }) => `${name} is not (yet) a healthy voter for autopilot`),
    ...outBeside(host, servers).map((name) => `${name}, of the same group, is no healthy voter`),
    ...(servers.raft.some(({ leader }) => leader) ? [] : ["no server leads"]),
  ];
  return unwell.length === 0 ? undefined : waitForVoters(host, servers, unwell);
}

/**
 * Whether the other voters' own agents answer in this very look: asked last, since it costs a tunnel to each machine.
 * Undefined when they do.
 */
export function askVoters(host: string, servers: Servers): Next | undefined {
  const others = otherVoters(host, servers);
  if (!others.every((peer) => agentOf(peer, servers)))
    return { kind: "look", agentsOf: others.map(({ name }) => withoutRegion(name)) };
  const unproven = others.flatMap((peer) => notProven(peer, servers));
  return unproven.length === 0 ? undefined : waitForVoters(host, servers, unproven);
}

/** Those that are dead and go as well count for nothing: where a zone is lost, each would wait for the other. */
function otherVoters(host: string, servers: Servers): RaftPeer[] {
  const own = new Set(peersOf(host, servers).map(({ id }) => id));
  const goes = ({ name }: RaftPeer): boolean => servers.leaving.includes(withoutRegion(name));
  return servers.raft.filter(
    (peer) => peer.voter && !own.has(peer.id) && (isAlive(peer, servers) || !goes(peer)),
  );
}

/** Servers of a group go one at a time, whoever has them go; what is dead or has no vote is mended whatever else is out. */
function outBeside(host: string, servers: Servers): string[] {
  const isVoter = (name: string): boolean =>
    peersOf(name, servers).some((peer) => peer.voter && isAlive(peer, servers));
  if (!isVoter(host)) return [];
  return servers.neighbours.filter((name) => name !== host && !isVoter(name));
}

const majorityOf = ({ all }: Servers): number => Math.floor(all / 2) + 1;

const waitForVoters = (host: string, { kind }: Servers, remaining: readonly string[]): Next =>
  wait(
    "wait-quorum",
    `waiting until the other ${kind} servers are healthy voters, so that ${host} may go`,
    remaining,
    60,
  );

const agentOf = ({ name }: RaftPeer, { agents }: Servers): AgentSelf | undefined =>
  agents.find(({ host }) => host === withoutRegion(name));

/** Why a voter's own agent does not prove that it lives, whatever the others say of it. */
function notProven(peer: RaftPeer, servers: Servers): string[] {
  const { kind } = servers;
  const agent = agentOf(peer, servers);
  const said = kind === "Consul" ? agent?.consul : agent?.nomad;
  const whose = `the ${kind} agent on ${withoutRegion(peer.name)}`;
  if (said === undefined || said === "stopped") return [`${whose} does not run`];
  if (isUnknown(said)) return [`${whose} could not be asked: ${said.unknown}`];
  const id = "nodeId" in said ? said.nodeId : said.id;
  return id === peer.id ? [] : [`${whose} is ${id}, and ${peer.id} is what votes`];
}

/** The healthy voter that is to lead in the place of a host: the one that has been stable for longest. */
export function successorOf(host: string, servers: Servers): ServerRef | undefined {
  const [heir] = servers.raft
    .filter((peer) => peer.voter && withoutRegion(peer.name) !== host)
    .flatMap((peer) => {
      const health = healthOf(peer, servers);
      return health?.healthy === true && health.voter ? [health] : [];
    })
    .sort((one, other) => one.stableSince - other.stableSince || (one.name < other.name ? -1 : 1));
  return heir && { id: heir.id, name: heir.name };
}

const healthOf = (peer: RaftPeer, { autopilot }: Servers): AutopilotServer | undefined =>
  autopilot.servers.find(({ id }) => id === peer.id);

const isAlive = (peer: RaftPeer, { members }: Servers): boolean =>
  members.some(({ name, status }) => name === peer.name && status === "alive");

const notAlive = (host: string, peer: RaftPeer, servers: Servers): Finding => ({
  subject: host,
  message: `may not go: ${peer.name || peer.id}, another voter of ${servers.kind}, is ${servers.members.find(({ name }) => name === peer.name)?.status ?? "no member"}`,
  remedy: `bring that server back, or remove its peer if it is gone for good, and wait until ${servers.kind} has ${String(majorityOf(servers))} other healthy voters`,
});

const tooFew = (host: string, others: readonly RaftPeer[], servers: Servers): Finding => ({
  subject: host,
  message: `may not go: ${servers.kind} has ${String(others.length)} other ${others.length === 1 ? "voter" : "voters"} (${others.map(({ name }) => name).join(", ") || "none"}), a majority of ${String(servers.all)} needs ${String(majorityOf(servers))}`,
  remedy: `wait until the other servers vote (${servers.kind.toLowerCase()} operator raft list-peers)`,
});
