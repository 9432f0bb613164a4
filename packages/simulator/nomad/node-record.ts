import type { NomadAgent } from "./agent.js";

export interface NodeEvent {
  readonly createIndex: number;
  readonly details: Readonly<Record<string, string>> | null;
  readonly message: string;
  readonly subsystem: "Cluster" | "Drain";
  readonly at: number;
}

export interface DrainStrategy {
  /** Nanoseconds, as asked: 0 for none, below 0 for now. */
  readonly deadline: number;
  readonly ignoreSystemJobs: boolean;
  readonly startedAt: number;
  /** When it strikes, in milliseconds; undefined without a deadline. */
  readonly forceAt: number | undefined;
}

export interface LastDrain {
  readonly accessor: string;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly status: "draining" | "complete" | "canceled";
}

/** How many events a node keeps. */
const MOST_EVENTS = 10;

/** A client as the servers know it. It outlives its process, and its machine. */
export class NodeRecord {
  status: "initializing" | "ready" | "down" = "ready";
  eligible = true;
  drain: DrainStrategy | undefined;
  lastDrain: LastDrain | undefined;
  events: NodeEvent[] = [];
  modifyIndex: number;
  statusAt: number;

  constructor(
    /** The process that registered last under this id. */
    public agent: NomadAgent,
    readonly createIndex: number,
    now: number,
  ) {
    this.modifyIndex = createIndex;
    this.statusAt = now;
  }

  get id(): string {
    return this.agent.id;
  }

  get name(): string {
    return this.agent.name;
  }

  get takesWork(): boolean {
    return this.status === "ready" && this.eligible && !this.drain;
  }

  add(event: NodeEvent): void {
    this.events = [...this.events, event].slice(-MOST_EVENTS);
  }
}
