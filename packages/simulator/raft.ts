import type { Cancel, Timeline } from "./timeline.js";

export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  voter: boolean;
  /** When it came into the configuration. */
  readonly addedAt: number;
}

export type NewPeer = Omit<Peer, "addedAt">;

export interface RaftWorld {
  /** Whether a server process answers at this address. An empty one votes like any other, whatever its id. */
  readonly answersAt: (address: string) => boolean;
  /** Whether the server with this id runs and has the log: only such a one can lead. */
  readonly runs: (id: string) => boolean;
  readonly onLeader: () => void;
}

export interface RaftTimes {
  /** From the end of a leader until the next is elected. */
  readonly electionMs: number;
  /** From a quorum that is back until a leader is elected. */
  readonly quorumBackMs: number;
  /** From the loss of the quorum until the leader steps down. */
  readonly stepDownMs: number;
  /** For how long the others go on naming a leader that has died. */
  readonly staleLeaderMs: number;
}

/** One raft cluster: who is in its configuration, who leads, and how far its log is. */
export class Raft {
  peers: Peer[] = [];
  term = 1;
  /** The last index; every write moves it. */
  index = 1;
  leader: Peer | undefined;
  /** A fault: nobody is elected while it holds. */
  #leaderless = false;
  #former: { readonly id: string; readonly address: string; readonly until: number } | undefined;
  #election: Cancel | undefined;
  #stepsDown = false;

  constructor(
    private readonly timeline: Timeline,
    private readonly times: RaftTimes,
    private readonly world: RaftWorld,
  ) {}

  next(): number {
    return ++this.index;
  }

  peer(id: string): Peer | undefined {
    return this.peers.find((each) => each.id === id);
  }

  add(peer: NewPeer): void {
    this.peers = [
      ...this.peers.filter(({ id, address }) => id !== peer.id && address !== peer.address),
      { ...peer, addedAt: this.timeline.now },
    ];
    this.next();
    this.check();
  }

  remove(id: string, electionMs?: number): void {
    if (!this.peer(id)) return;
    this.peers = this.peers.filter((peer) => peer.id !== id);
    this.next();
    this.check(electionMs);
  }

  promote(id: string): void {
    const peer = this.peer(id);
    if (!peer || peer.voter) return;
    peer.voter = true;
    this.next();
  }

  /** The leader begins to leave: it has no vote any more, the others go on naming it, and only then elect another. */
  stepAside(id: string, staleMs: number, electionMs: number): void {
    const peer = this.peer(id);
    if (!peer || this.leader?.id !== id) return;
    peer.voter = false;
    this.#lose(staleMs);
    this.check(electionMs);
  }

  /** Starts a cluster anew. */
  bootstrap(peers: readonly NewPeer[]): void {
    this.peers = peers.map((peer) => ({ ...peer, voter: true, addedAt: this.timeline.now }));
    this.leader = undefined;
    this.#former = undefined;
    this.check(0);
  }

  get hasQuorum(): boolean {
    const voters = this.peers.filter(({ voter }) => voter);
    return voters.filter(({ address }) => this.world.answersAt(address)).length * 2 > voters.length;
  }

  /** Hands the leadership over at once. */
  transfer(id: string): void {
    const peer = this.peer(id);
    if (peer) this.#lead(peer);
  }

  /** While it holds there is no leader and none is elected. */
  set leaderless(value: boolean) {
    this.#leaderless = value;
    if (value) this.#lose(0);
    this.check();
  }

  /** The leader's address as the server with this id would name it; empty when it knows none. */
  leaderSeenBy(id: string): string {
    if (this.leader) return this.leader.address;
    if (this.#former && this.#former.id !== id && this.timeline.now < this.#former.until)
      return this.#former.address;
    return "";
  }

  /** To be called whenever a server comes or goes. */
  check(electionMs?: number): void {
    const { leader } = this;
    if (leader) {
      const present = this.peer(leader.id);
      if (!this.world.runs(leader.id) || !present?.voter) this.#lose(this.times.staleLeaderMs);
      else {
        if (!this.hasQuorum) this.#stepDownSoon();
        return;
      }
      electionMs ??= this.times.electionMs;
    }
    if (this.#election || !this.#candidate()) return;
    this.#election = this.timeline.after(electionMs ?? this.times.quorumBackMs, () => {
      this.#election = undefined;
      const candidate = this.#candidate();
      if (candidate) this.#lead(candidate);
    });
  }

  #stepDownSoon(): void {
    if (this.#stepsDown) return;
    this.#stepsDown = true;
    this.timeline.after(this.times.stepDownMs, () => {
      this.#stepsDown = false;
      if (!this.hasQuorum) this.#lose(0);
      this.check();
    });
  }

  #candidate(): Peer | undefined {
    if (this.#leaderless || this.leader || !this.hasQuorum) return undefined;
    const able = this.peers.filter(({ id, voter }) => voter && this.world.runs(id));
    // Not again the one that has just lost the leadership, if there is another.
    return able.find(({ id }) => id !== this.#former?.id) ?? able[0];
  }

  #lose(staleMs: number): void {
    if (!this.leader) return;
    const { id, address } = this.leader;
    this.#former = { id, address, until: this.timeline.now + staleMs };
    this.leader = undefined;
  }

  #lead(peer: Peer): void {
    this.#election?.();
    this.#election = undefined;
    this.leader = peer;
    this.term++;
    this.next();
    this.world.onLeader();
  }
}
