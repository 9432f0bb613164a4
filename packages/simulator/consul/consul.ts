import { Autopilot, type Health, type SeenServer } from "../autopilot.js";
import { Gossip, type Member, type MemberEvent } from "../gossip.js";
import { Ids } from "../ids.js";
import { Raft } from "../raft.js";
import type { Timeline } from "../timeline.js";
import type { ConsulTokens } from "./access.js";
import { ConsulAgent, type ConsulAgentSettings } from "./agent.js";
import { Catalog, SERF_HEALTH } from "./catalog.js";
import { Kv } from "./kv.js";
import { CONTACT_MS, RAFT_TIMES, TIMES } from "./times.js";

export interface ConsulOptions {
  /** How many servers start a cluster. Default: 3 */
  readonly bootstrapExpect?: number;
  /** Default: `1.8.7` */
  readonly version?: string;
  /** Autopilot's server_stabilization_time. Default: 2 s, as recorded; Consul's own is 10 s. */
  readonly stabilizationMs?: number;
  /** Default: true */
  readonly cleanupDeadServers?: boolean;
  /** Whether `POST /v1/operator/raft/transfer-leader` is there. Default: false, as in 1.8.7. */
  readonly transferLeader?: boolean;
  /** ACLs with default policy deny. Default: ACLs are off. */
  readonly tokens?: ConsulTokens;
}

/** A Consul cluster: its processes, and what its leader does about them. */
export class Consul {
  readonly ids = new Ids("consul");
  /** The processes, by machine; one that has ended stays until the machine starts another. */
  readonly agents = new Map<string, ConsulAgent>();
  readonly gossip: Gossip<ConsulAgent>;
  readonly raft: Raft;
  readonly autopilot: Autopilot;
  readonly catalog: Catalog;
  readonly kv: Kv;
  readonly version: string;
  /** Faults: servers that never get a vote. */
  readonly nonVoters = new Set<string>();
  /** Names that come back unnoticed by the leader, until its next round: after a prune or an early force-leave. */
  readonly #unnoticed = new Set<string>();
  #bootstrapping = false;
  #hasBootstrapped = false;
  #stopReconciling: () => void = () => undefined;

  constructor(
    readonly timeline: Timeline,
    readonly options: ConsulOptions = {},
  ) {
    this.version = options.version ?? "1.8.7";
    this.gossip = new Gossip<ConsulAgent>(timeline, {
      detectMs: () => TIMES.detectMs,
      onEvent: (member, event) => {
        this.#onMember(member, event);
      },
    });
    this.raft = new Raft(timeline, RAFT_TIMES, {
      answersAt: (address) => this.#processes.some((agent) => agent.server && agent.rpcAddress === address),
      runs: (id) => this.#processes.some((agent) => agent.hasLog && agent.id === id),
      onLeader: () => {
        this.#onLeader();
      },
    });
    this.catalog = new Catalog(this.raft);
    this.kv = new Kv(this.raft);
    this.autopilot = new Autopilot(
      timeline,
      this.raft,
      {
        servers: () => this.#seenServers(),
        mayVote: (id) => !this.nonVoters.has(this.raft.peer(id)?.name ?? ""),
        cleanUp: () => {
          this.#cleanUp();
        },
        afterElection: (): Health => ({ healthy: false, failureTolerance: 0, servers: null }),
      },
      {
        stabilizationMs: options.stabilizationMs ?? 2_000,
        cleanupDeadServers: options.cleanupDeadServers ?? true,
      },
    );
  }

  get #processes(): ConsulAgent[] {
    return [...this.agents.values()].filter(({ running }) => running);
  }

  start(settings: ConsulAgentSettings): ConsulAgent {
    const agent = new ConsulAgent(settings, this.ids.next(), this.timeline.now);
    this.agents.set(agent.name, agent);
    this.raft.check();
    this.#tryToJoin(agent, TIMES.joinMs);
    this.timeline.after(TIMES.reconnectMs, () => {
      const known = this.gossip.members.get(agent.name);
      if (known?.agent.address === agent.address && known.status !== "left") this.#join(agent);
    });
    return agent;
  }

  /** Ends a process without a leave. */
  end(agent: ConsulAgent): void {
    if (!agent.running) return;
    agent.running = false;
    agent.diedAt = this.timeline.now;
    if (!agent.hasLeft && agent.joined) this.gossip.died(agent);
    this.raft.check();
    this.timeline.look();
  }

  /** Whether this agent has been asked into the cluster by a member at `address`; an address that answers nothing is refused. */
  joinAt(agent: ConsulAgent, address: string): boolean {
    const target = this.#processes.find((each) => each.address === address && each !== agent);
    if (!target) return false;
    if (!target.joined && this.#processes.some(({ joined, server }) => joined && server)) return false;
    if (!target.joined) this.#join(target);
    return this.#join(agent);
  }

  #tryToJoin(agent: ConsulAgent, inMs: number): void {
    this.timeline.after(inMs, () => {
      if (!agent.running || agent.joined) return;
      const known = agent.rejoins
        ? [...this.gossip.members.values()].map((member) => member.agent.address)
        : [];
      for (const address of [...known, ...agent.retryJoin]) if (this.joinAt(agent, address)) return;
      const isTaken = this.gossip.isConflict(agent);
      this.#tryToJoin(agent, isTaken ? TIMES.conflictRetryMs : TIMES.retryJoinMs);
    });
  }

  #join(agent: ConsulAgent): boolean {
    if (!agent.running || agent.outcast || this.gossip.isConflict(agent)) return false;
    if (agent.joined) return true;
    agent.joined = true;
    this.gossip.join(agent);
    this.#mayBootstrap();
    this.#synchronize(agent);
    return true;
  }

  #mayBootstrap(): void {
    const servers = this.#processes.filter(({ server, joined }) => server && joined);
    const isNew =
      servers.length >= (this.options.bootstrapExpect ?? 3) && servers.every(({ hasLog }) => !hasLog);
    if (!isNew || this.#bootstrapping || this.raft.leader) return;
    this.#bootstrapping = true;
    this.timeline.after(this.#hasBootstrapped ? TIMES.bootstrapAnewMs : TIMES.bootstrapMs, () => {
      this.#bootstrapping = false;
      this.#hasBootstrapped = true;
      this.catalog.clear();
      this.kv.clear();
      for (const server of servers) server.hasLog = true;
      this.raft.bootstrap(
        servers.map(({ id, name, rpcAddress }) => ({ id, name, address: rpcAddress, voter: true })),
      );
    });
  }

  /** An agent tells the catalog what it knows: when something changes, and again later where it was refused. */
  #synchronize(agent: ConsulAgent): void {
    this.timeline.after(TIMES.gossipMs, () => {
      if (!agent.running || !agent.joined || agent.hasLeft) return;
      if (this.raft.leader && this.enter(agent)) return;
      this.timeline.after(TIMES.antiEntropyRetryMs, () => {
        this.#synchronize(agent);
      });
    });
  }

  /** Enters an agent's node and services in the catalog; false where the name belongs to another id. */
  enter(agent: ConsulAgent): boolean {
    const node = this.catalog.enter({
      id: agent.id,
      name: agent.name,
      address: agent.address,
      meta: { ...agent.meta, "consul-network-segment": "" },
    });
    if (!node) return false;
    this.catalog.takeOver(node, agent);
    return true;
  }

  /** After a change of an agent's own services: at the catalog at once, if it lets the agent in. */
  changed(agent: ConsulAgent): void {
    if (this.raft.leader && agent.joined && !agent.hasLeft) this.enter(agent);
  }

  #onLeader(): void {
    this.autopilot.restart();
    this.#stopReconciling();
    this.#stopReconciling = this.timeline.every(TIMES.reconcileMs, () => {
      if (this.raft.leader) this.#reconcile();
    });
    this.#reconcile();
  }

  /** What the leader does each minute, whatever it has heard of. */
  #reconcile(): void {
    for (const member of this.gossip.members.values()) {
      if (member.status === "alive") this.#welcome(member.agent);
      if (member.status === "failed") this.#setFailed(member.name);
      if (member.status === "left") this.#takeOut(member);
    }
    for (const node of [...this.catalog.nodes.values()])
      if (node.checks.has(SERF_HEALTH) && !this.gossip.members.has(node.name)) this.#deregister(node.name);
  }

  #onMember(member: Member<ConsulAgent>, event: MemberEvent): void {
    const { agent } = member;
    this.timeline.after(TIMES.gossipMs, () => {
      if (!this.raft.leader) return;
      if ((event === "join" || event === "update") && member.status === "alive") {
        if (this.#unnoticed.delete(member.name)) this.#enterAlive(agent);
        else this.#welcome(agent);
      }
      if (event === "failed" && member.status === "failed") this.#setFailed(member.name);
      if (event === "left" && member.agent === agent && member.status === "left") this.#takeOut(member);
    });
  }

  #welcome(agent: ConsulAgent): void {
    this.#enterAlive(agent);
    if (!agent.server) return;
    const peer = this.raft.peer(agent.id);
    if (peer?.address === agent.rpcAddress) return;
    this.raft.add({ id: agent.id, name: agent.name, address: agent.rpcAddress, voter: false });
    agent.hasLog = true;
  }

  #enterAlive(agent: ConsulAgent): void {
    if (!this.enter(agent)) return;
    const node = this.catalog.nodes.get(agent.name);
    if (!node) return;
    this.catalog.setSerfHealth(agent.name, true);
    if (agent.server) this.catalog.setService(node, consulService(this.version));
  }

  #setFailed(name: string): void {
    this.catalog.setSerfHealth(name, false);
  }

  #takeOut(member: Member<ConsulAgent>): void {
    for (const peer of this.raft.peers) if (peer.name === member.name) this.raft.remove(peer.id);
    this.#deregister(member.name);
  }

  #deregister(name: string): void {
    this.catalog.remove(name);
  }

  /** A name whose next joining is passed over until the leader's next round. */
  passOver(name: string): void {
    this.#unnoticed.add(name);
  }

  #seenServers(): SeenServer[] {
    return [...this.gossip.members.values()]
      .filter(({ agent, status }) => agent.server && status !== "left")
      .map(({ agent, status }) => {
        const reachable = agent.running || this.timeline.now - (agent.diedAt ?? 0) < CONTACT_MS;
        return {
          id: agent.id,
          name: agent.name,
          address: agent.rpcAddress,
          serf: status,
          reachable,
          healthy: reachable && status !== "failed",
          since: this.raft.peer(agent.id)?.addedAt ?? this.timeline.now,
        };
      });
  }

  /** Dead servers are made to leave, as long as most of the others remain. */
  #cleanUp(): void {
    const failed = [...this.gossip.members.values()].filter(
      ({ agent, status }) => agent.server && status === "failed",
    );
    if (failed.length * 2 >= this.raft.peers.length) return;
    for (const { name } of failed) this.gossip.mark(name, "left");
  }
}

const consulService = (version: string) => ({
  id: "consul",
  name: "consul",
  tags: [],
  meta: {
    non_voter: "false",
    raft_version: "3",
    serf_protocol_current: "2",
    serf_protocol_max: "5",
    serf_protocol_min: "1",
    version,
  },
  port: 8300,
  address: "",
});
