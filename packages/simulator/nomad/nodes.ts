import type { Raft } from "../raft.js";
import type { Timeline } from "../timeline.js";
import type { NomadAgent } from "./agent.js";
import { NodeRecord, type NodeEvent } from "./node-record.js";
import { TIMES } from "./times.js";

interface NodesWorld {
  readonly isLed: () => boolean;
  /** The node runs nothing any more: it is down, or it has been purged. */
  readonly onLost: (node: NodeRecord) => void;
  /** The node may take work from now on. */
  readonly onReady: (node: NodeRecord) => void;
}

/** The records of the clients. A machine that comes back empty makes a second one under the same name. */
export class Nodes {
  readonly records = new Map<string, NodeRecord>();
  /** The index of the last change to any of them. */
  index = 1;

  constructor(
    private readonly timeline: Timeline,
    private readonly raft: Raft,
    private readonly world: NodesWorld,
  ) {}

  /** A client process has started: it registers as soon as somebody leads. */
  start(agent: NomadAgent, inMs: number = TIMES.registerMs): void {
    this.timeline.after(inMs, () => {
      if (!agent.running) return;
      if (this.world.isLed()) this.#register(agent);
      else this.start(agent, TIMES.registerRetryMs);
    });
  }

  ended(agent: NomadAgent): void {
    const ms = TIMES.heartbeatLeastMs + TIMES.heartbeatSpreadMs * agent.fraction;
    this.#miss(agent, ms);
  }

  #miss(agent: NomadAgent, inMs: number): void {
    this.timeline.after(inMs, () => {
      const node = this.records.get(agent.id);
      if (node?.agent !== agent || agent.running || node.status === "down") return;
      if (!this.world.isLed()) {
        this.#miss(agent, TIMES.registerRetryMs);
        return;
      }
      this.#setStatus(node, "down");
      this.#event(node, "Node heartbeat missed", "Cluster");
      this.world.onLost(node);
    });
  }

  #register(agent: NomadAgent): void {
    const known = this.records.get(agent.id);
    if (known) {
      known.agent = agent;
      if (known.status === "down") {
        this.#setStatus(known, "ready");
        this.#event(known, "Node reregistered by heartbeat", "Cluster");
      }
      if (known.takesWork) this.world.onReady(known);
      return;
    }
    const node = new NodeRecord(agent, this.change(), this.timeline.now);
    this.records.set(node.id, node);
    this.#event(node, "Node registered", "Cluster", 0);
    this.world.onReady(node);
  }

  /** A living client registers again at once, and is eligible then whatever it was before. */
  purge(node: NodeRecord): void {
    this.records.delete(node.id);
    this.change();
    this.world.onLost(node);
    if (node.agent.running) this.start(node.agent, TIMES.registerMs / 2);
  }

  /** Answers whether anything has changed. */
  setEligible(node: NodeRecord, eligible: boolean): boolean {
    if (node.eligible === eligible) return false;
    node.eligible = eligible;
    this.#event(node, `Node marked as ${eligible ? "eligible" : "ineligible"} for scheduling`, "Cluster");
    if (eligible && node.takesWork) this.world.onReady(node);
    return true;
  }

  event(node: NodeRecord, message: string, details: NodeEvent["details"] = null): void {
    this.#event(node, message, "Drain", undefined, details);
  }

  #event(
    node: NodeRecord,
    message: string,
    subsystem: NodeEvent["subsystem"],
    index?: number,
    details: NodeEvent["details"] = null,
  ): void {
    node.modifyIndex = this.change();
    node.add({ createIndex: index ?? node.modifyIndex, details, message, subsystem, at: this.timeline.now });
  }

  #setStatus(node: NodeRecord, status: "ready" | "down"): void {
    node.status = status;
    node.statusAt = this.timeline.now;
    node.modifyIndex = this.change();
  }

  change(): number {
    this.index = this.raft.next();
    return this.index;
  }
}
