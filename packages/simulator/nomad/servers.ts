import { Autopilot, type Health, type SeenServer } from "../autopilot.js";
import { Gossip, type Member, type MemberEvent } from "../gossip.js";
import { Raft, type NewPeer, type Peer } from "../raft.js";
import type { Timeline } from "../timeline.js";
import { NomadAgent } from "./agent.js";
import { RAFT_TIMES, TIMES } from "./times.js";

/**
 * What a force-leave does to the next server of the same name. `flaps`: it is a member, but the leader passes over its
 * coming, adds it once a minute and removes it again. `absent`: it enters nobody's member list.
 */
type Curse = "flaps" | "absent";

export interface ServersOptions {
  /** How many servers start a cluster. Default: 3 */
  readonly bootstrapExpect?: number;
  /** Autopilot's ServerStabilizationTime. Default: 10 s */
  readonly stabilizationMs?: number;
  /** Default: true */
  readonly cleanupDeadServers?: boolean;
}

/** The servers: who is a member, who is in raft's configuration, and how the one becomes the other. */
export class Servers {
  readonly gossip: Gossip<NomadAgent>;
  readonly raft: Raft;
  readonly autopilot: Autopilot;
  /** Faults: servers that never get a vote. */
  readonly nonVoters = new Set<string>();
  readonly #curses = new Map<string, Curse>();
  #bootstrapping = false;
  #stopReconciling: () => void = () => undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly processes: () => readonly NomadAgent[],
    private readonly options: ServersOptions,
  ) {
    this.gossip = new Gossip<NomadAgent>(timeline, {
      detectMs: ({ fraction }) => TIMES.detectLeastMs + TIMES.detectSpreadMs * fraction,
      onEvent: (member, event) => {
        this.#onMember(member, event);
      },
    });
    this.raft = new Raft(timeline, RAFT_TIMES, {
      answersAt: (address) => this.#running.some(({ rpcAddress }) => rpcAddress === address),
      runs: (id) => this.#running.some((agent) => agent.hasLog && agent.id === id),
      onLeader: () => {
        this.#onLeader();
      },
    });
    this.autopilot = new Autopilot(
      timeline,
      this.raft,
      {
        servers: () => this.#seenServers(),
        mayVote: (id) => !this.nonVoters.has(this.raft.peer(id)?.name.replace(/\.global$/, "") ?? ""),
        cleanUp: () => {
          this.#cleanUp();
        },
        afterElection: oneUnhealthy,
      },
      {
        stabilizationMs: options.stabilizationMs ?? 10_000,
        cleanupDeadServers: options.cleanupDeadServers ?? true,
      },
    );
  }

  get #running(): NomadAgent[] {
    return this.processes().filter(({ running, server }) => running && server);
  }

  start(agent: NomadAgent): void {
    // With its data it is the same server again, and whatever was held against its name is over.
    if (agent.settings.data && this.#curses.get(agent.name) === "flaps") this.#curses.delete(agent.name);
    this.raft.check();
    this.#tryToJoin(agent, TIMES.joinMs);
  }

  ended(agent: NomadAgent): void {
    if (agent.joined && !agent.hasLeft) this.gossip.died(agent);
    this.raft.check();
  }

  #tryToJoin(agent: NomadAgent, inMs: number): void {
    this.timeline.after(inMs, () => {
      if (!agent.running || agent.joined) return;
      const curse = this.#curses.get(agent.name);
      if (curse === "absent" || this.gossip.isConflict(agent)) {
        this.#tryToJoin(agent, TIMES.joinRetryMs);
        return;
      }
      agent.joined = true;
      this.gossip.join(agent, { silent: curse === "flaps" });
      if (curse === "flaps") {
        this.gossip.mark(agent.name, "leaving");
        this.timeline.after(TIMES.leavingFirstMs, () => {
          if (agent.running) this.gossip.mark(agent.name, "alive");
        });
      }
      this.#mayBootstrap();
    });
  }

  #mayBootstrap(): void {
    const servers = this.#running.filter(({ joined }) => joined);
    const isNew =
      servers.length >= (this.options.bootstrapExpect ?? 3) && servers.every(({ hasLog }) => !hasLog);
    if (!isNew || this.#bootstrapping || this.raft.leader) return;
    this.#bootstrapping = true;
    this.timeline.after(TIMES.bootstrapMs, () => {
      this.#bootstrapping = false;
      for (const server of servers) server.hasLog = true;
      this.raft.bootstrap(servers.map(peerOf));
    });
  }

  #onLeader(): void {
    this.autopilot.restart();
    this.#stopReconciling();
    const round = (): void => {
      if (this.raft.leader) this.#reconcile();
    };
    this.#stopReconciling = this.timeline.after(TIMES.reconcileAfterMs, () => {
      this.#stopReconciling = this.timeline.every(TIMES.reconcileMs, round);
    });
    this.#reconcile();
  }

  /** Each minute, and when it is elected, the leader adds whoever is a member and not in the configuration. */
  #reconcile(): void {
    for (const { agent } of this.gossip.alive) this.#add(agent);
  }

  #add(agent: NomadAgent): void {
    if (this.raft.peer(agent.id)) return;
    this.raft.add({ ...peerOf(agent), voter: false });
    agent.hasLog = true;
  }

  #onMember(member: Member<NomadAgent>, event: MemberEvent): void {
    const { agent } = member;
    // One that has been noticed dead is a stranger when it comes back: nothing is held against its name.
    if (event === "failed") this.#curses.delete(member.name);
    this.timeline.after(TIMES.gossipMs, () => {
      if (!this.raft.leader) return;
      // An `update` is no event for the leader: who came back before it was missed waits for the next round.
      if (event === "join" && member.status === "alive") this.#add(agent);
      if (event === "left") this.raft.remove(agent.id);
    });
  }

  /** `PUT /v1/agent/force-leave`. Answers how long it takes. */
  forceLeave(name: string, prune: boolean): number {
    const member = this.gossip.members.get(name);
    if (!member) return TIMES.forceLeave.answerMs;
    if (member.status !== "alive") {
      if (!prune) this.gossip.mark(name, "left");
      else {
        this.#curses.set(name, "flaps");
        this.gossip.prune(name);
      }
      return TIMES.forceLeave.answerMs;
    }
    this.gossip.mark(name, "leaving");
    if (member.agent.running) {
      this.timeline.after(TIMES.leavingFirstMs, () => {
        if (member.agent.running) this.gossip.mark(name, "alive");
      });
      return TIMES.forceLeave.aliveAnswerMs;
    }
    this.#curses.set(name, prune ? "absent" : "flaps");
    this.timeline.after(TIMES.forceLeave.aliveAnswerMs, () => {
      if (prune) this.gossip.prune(name);
      else this.gossip.mark(name, "left");
    });
    return TIMES.forceLeave.aliveAnswerMs;
  }

  removePeer(id: string): void {
    this.raft.remove(id, this.raft.leader?.id === id ? TIMES.ownPeerRemovedMs : undefined);
  }

  /** A server reads healthy until its member is `failed`, however long its process has been gone. */
  #seenServers(): SeenServer[] {
    return this.raft.peers.map((peer) => {
      const member = this.#memberOf(peer);
      const isPresent = member !== undefined && (member.status === "alive" || member.status === "leaving");
      return {
        id: peer.id,
        name: peer.name,
        address: peer.address,
        serf: isPresent ? member.status : "left",
        healthy: isPresent && !this.#curses.has(peer.name),
        reachable: member?.agent.running ?? false,
        since: peer.addedAt,
      };
    });
  }

  #memberOf(peer: Peer): Member<NomadAgent> | undefined {
    const member = this.gossip.members.get(peer.name);
    return member?.agent.id === peer.id ? member : undefined;
  }

  /** Peers that are dead, unknown to gossip or under a curse are removed, as long as most of the others remain. */
  #cleanUp(): void {
    const dead = this.#seenServers().filter(({ healthy }) => !healthy);
    if (dead.length * 2 >= this.raft.peers.length) return;
    for (const { id } of dead) this.raft.remove(id);
  }
}

const peerOf = ({ id, name, rpcAddress }: NomadAgent): NewPeer => ({
  id,
  name,
  address: rpcAddress,
  voter: true,
});

/** Right after an election one follower reads unhealthy, until the next look. */
function oneUnhealthy(now: Health): Health {
  const follower = now.servers?.find(({ leader }) => !leader);
  if (!now.servers || !follower) return now;
  const servers = now.servers.map((server) =>
    server === follower ? { ...server, healthy: false, stableSince: undefined } : server,
  );
  return { healthy: false, failureTolerance: 0, servers };
}
