import { Ids } from "../ids.js";
import type { Timeline } from "../timeline.js";
import type { NomadTokens } from "./access.js";
import { NomadAgent, type NomadAgentSettings } from "./agent.js";
import { Drainer } from "./drainer.js";
import { Job, jobSpec } from "./job.js";
import { Nodes } from "./nodes.js";
import { Scheduler } from "./scheduler.js";
import { Servers, type ServersOptions } from "./servers.js";
import { TIMES } from "./times.js";

export interface NomadOptions extends ServersOptions {
  /** As the agents print it. Default: `2.0.6-dev` */
  readonly version?: string;
  /** ACLs. Default: off */
  readonly tokens?: NomadTokens;
}

/** A Nomad cluster: its servers, its nodes and what runs on them. */
export class Nomad {
  readonly ids = new Ids("nomad");
  readonly agents = new Map<string, NomadAgent>();
  readonly servers: Servers;
  readonly nodes: Nodes;
  readonly scheduler: Scheduler;
  readonly drainer: Drainer;
  readonly version: string;

  constructor(
    readonly timeline: Timeline,
    readonly options: NomadOptions = {},
  ) {
    this.version = options.version ?? "2.0.6-dev";
    this.servers = new Servers(timeline, () => [...this.agents.values()], options);
    const { raft } = this.servers;
    this.scheduler = new Scheduler(timeline, this.ids, raft, () => this.nodes);
    this.nodes = new Nodes(timeline, raft, {
      isLed: () => raft.leader !== undefined,
      onLost: (node) => {
        this.scheduler.lose(node);
      },
      onReady: () => {
        timeline.after(TIMES.systemPlacementMs, () => {
          this.scheduler.evaluateAll();
        });
      },
    });
    this.drainer = new Drainer(timeline, this.nodes, this.scheduler);
  }

  start(settings: NomadAgentSettings): NomadAgent {
    const agent = new NomadAgent(settings, this.ids.next(), this.timeline.now);
    this.agents.set(settings.name, agent);
    if (agent.server) this.servers.start(agent);
    else this.nodes.start(agent);
    return agent;
  }

  /** Ends a process at once. */
  end(agent: NomadAgent): void {
    if (!agent.running) return;
    agent.running = false;
    if (agent.server) this.servers.ended(agent);
    else this.nodes.ended(agent);
    this.timeline.look();
  }

  /** SIGINT. A server leaves when its configuration says so; a client's work goes with it, and its node is down later. */
  interrupt(agent: NomadAgent): void {
    const { stop } = TIMES;
    if (!agent.server || !agent.settings.leaveOnInterrupt) {
      this.timeline.after(stop.exitMs, () => {
        this.end(agent);
      });
      return;
    }
    this.timeline.after(stop.leftMs, () => {
      if (!agent.running) return;
      agent.hasLeft = true;
      this.servers.gossip.mark(agent.name, "left");
    });
    this.timeline.after(stop.gracefulMs, () => {
      this.end(agent);
    });
  }

  /** Registers a job, or its next version. */
  run(spec: unknown): Job {
    const parsed = jobSpec.parse(spec);
    const index = this.servers.raft.next();
    const before = this.scheduler.jobs.get(parsed.ID);
    const job = new Job(
      parsed,
      (before?.version ?? -1) + 1,
      before?.createIndex ?? index,
      index,
      this.timeline.now,
      this.ids.next(),
    );
    this.scheduler.register(job);
    return job;
  }

  /** `PUT /v1/system/gc`: forgets what has ended and who is down, whatever its age. */
  collect(): void {
    this.timeline.after(TIMES.gcMs, () => {
      for (const node of [...this.nodes.records.values()]) {
        if (node.status !== "down") continue;
        this.nodes.records.delete(node.id);
        this.nodes.change();
      }
      this.scheduler.collect();
    });
  }
}
