import type { Raft } from "./raft.js";
import type { Cancel, Timeline } from "./timeline.js";

/** A server as autopilot sees it at one moment. */
export interface SeenServer {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly serf: string;
  readonly healthy: boolean;
  readonly reachable: boolean;
  /** When it came; stable since then at the earliest. */
  readonly since: number;
}

export interface ServerHealth extends SeenServer {
  readonly voter: boolean;
  readonly leader: boolean;
  /** Undefined for an unhealthy server, which is stable since never. */
  readonly stableSince: number | undefined;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface Health {
  readonly healthy: boolean;
  readonly failureTolerance: number;
  /** Null until the first look after an election, if the product has nothing to say then. */
  readonly servers: readonly ServerHealth[] | null;
}

export interface AutopilotSettings {
  readonly stabilizationMs: number;
  readonly cleanupDeadServers: boolean;
}

export interface AutopilotWorld {
  readonly servers: () => readonly SeenServer[];
  /** A fault: a server that never becomes a voter. */
  readonly mayVote: (id: string) => boolean;
  readonly cleanUp: () => void;
  /** What is answered between an election and the first look. */
  readonly afterElection: (now: Health) => Health;
}

/** How old an answer may be. */
const LOOK_MS = 2_000;
/** How often servers are promoted and removed. */
const ACT_MS = 10_000;
const ACT_AFTER_LOOK_MS = 100;

/**
 * The leader's watch over the servers. Its answer is up to 2 s old, whatever has happened since; it promotes and cleans
 * up in ticks of 10 s, both counted from the election.
 */
export class Autopilot {
  health: Health = { healthy: false, failureTolerance: 0, servers: null };
  #stable = new Map<string, number>();
  #electedAt = 0;
  #ticks: Cancel[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly raft: Raft,
    private readonly world: AutopilotWorld,
    public settings: AutopilotSettings,
  ) {}

  /** Starts anew, for a leader that has just been elected: whatever was stable is stable since now. */
  restart(): void {
    for (const cancel of this.#ticks) cancel();
    this.#stable = new Map();
    this.#electedAt = this.timeline.now;
    this.look();
    this.health = this.world.afterElection(this.health);
    const whileLeading = (run: () => void) => () => {
      if (this.raft.leader) run();
    };
    const look = whileLeading(() => {
      this.look();
    });
    const act = whileLeading(() => {
      this.#promote();
      if (this.settings.cleanupDeadServers) this.world.cleanUp();
    });
    this.#ticks = [
      this.timeline.every(LOOK_MS, look),
      // A little later than a look, so that what is done is seen by the next one.
      this.timeline.after(ACT_AFTER_LOOK_MS, () => {
        this.#ticks.push(this.timeline.every(ACT_MS, act));
      }),
    ];
  }

  look(): void {
    const seen = this.world.servers();
    for (const id of this.#stable.keys()) if (!this.raft.peer(id)) this.#stable.delete(id);
    const servers = seen.map((server) => this.#healthOf(server));
    const voters = this.raft.peers.filter(({ voter }) => voter).length;
    const healthyVoters = servers.filter(({ healthy, voter }) => healthy && voter).length;
    this.health = {
      healthy: servers.every(({ healthy }) => healthy),
      failureTolerance: Math.max(0, healthyVoters - (Math.floor(voters / 2) + 1)),
      servers,
    };
  }

  #healthOf(server: SeenServer): ServerHealth {
    const before = this.#stable.get(server.id);
    if (!server.healthy) this.#stable.delete(server.id);
    else if (before === undefined) {
      const known = this.health.servers?.some(({ id, healthy }) => id === server.id && !healthy) ?? false;
      this.#stable.set(server.id, known ? this.timeline.now : Math.max(server.since, this.#electedAt));
    }
    // Written out: this is the hot spot of a simulated cluster, and a spread takes ten times as long.
    const { id, name, address, serf, healthy, reachable, since } = server;
    return {
      id,
      name,
      address,
      serf,
      healthy,
      reachable,
      since,
      voter: this.raft.peer(server.id)?.voter ?? false,
      leader: this.raft.leader?.id === server.id,
      stableSince: this.#stable.get(server.id),
      lastIndex: server.reachable ? this.raft.index : 0,
      lastTerm: server.reachable ? this.raft.term : 0,
    };
  }

  #promote(): void {
    for (const { id, healthy } of this.world.servers()) {
      const peer = this.raft.peer(id);
      const since = this.#stable.get(id);
      if (!peer || peer.voter || !healthy || since === undefined || !this.world.mayVote(id)) continue;
      if (this.timeline.now - Math.max(since, peer.addedAt) >= this.settings.stabilizationMs)
        this.raft.promote(id);
    }
  }
}
