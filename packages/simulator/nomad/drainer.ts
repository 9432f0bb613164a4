import type { Timeline } from "../timeline.js";
import { isLive, isOver, type Allocation } from "./allocation.js";
import type { DrainStrategy, LastDrain, NodeRecord } from "./node-record.js";
import type { Nodes } from "./nodes.js";
import type { Scheduler } from "./scheduler.js";
import { TIMES } from "./times.js";

export interface DrainOrder {
  /** Nanoseconds: over 0 a deadline, 0 none, below 0 at once. */
  readonly deadline: number;
  readonly ignoreSystemJobs: boolean;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly accessor: string;
}

/** Moves work off nodes, as fast as each job's migrate settings allow. */
export class Drainer {
  /** A fault: names of nodes whose drains get nowhere. */
  readonly endless = new Set<string>();

  constructor(
    private readonly timeline: Timeline,
    private readonly nodes: Nodes,
    private readonly scheduler: Scheduler,
  ) {
    scheduler.onChange((allocation) => {
      this.#finish(allocation.node);
    });
  }

  /** Begins a drain, or moves the deadline of the one that is under way. */
  start(node: NodeRecord, { deadline, ignoreSystemJobs, meta, accessor }: DrainOrder): void {
    const { now } = this.timeline;
    const before = node.drain;
    const drain: DrainStrategy = {
      deadline,
      ignoreSystemJobs,
      startedAt: before?.startedAt ?? now,
      forceAt: deadline > 0 ? now + deadline / 1e6 : undefined,
    };
    node.drain = drain;
    node.eligible = false;
    node.lastDrain = { accessor, meta, startedAt: drain.startedAt, updatedAt: now, status: "draining" };
    this.nodes.event(node, before ? "Node drain strategy updated" : "Node drain strategy set");
    const forcedMs = deadline < 0 ? TIMES.drain.forcedMs : deadline / 1e6 + TIMES.drain.deadlineLagMs;
    if (deadline !== 0)
      this.timeline.after(forcedMs, () => {
        if (node.drain === drain) this.#force(node);
      });
    if (this.#remaining(node).length === 0)
      this.timeline.after(TIMES.drain.emptyMs, () => {
        this.#finish(node);
      });
    this.#step(node, drain);
  }

  cancel(node: NodeRecord, markEligible: boolean, meta: LastDrain["meta"]): void {
    if (node.drain) {
      node.drain = undefined;
      this.#end(node, "canceled", meta);
      this.nodes.event(node, "Node drain disabled");
    }
    if (markEligible) this.nodes.setEligible(node, true);
  }

  /** Service and batch work: a system job's does not hold a drain up. */
  #remaining(node: NodeRecord): Allocation[] {
    return this.scheduler.on(node).filter((each) => each.job.type !== "system" && !isOver(each));
  }

  #step(node: NodeRecord, drain: DrainStrategy): void {
    this.timeline.after(TIMES.drain.stepMs, () => {
      if (node.drain !== drain) return;
      this.#move(node);
      this.#step(node, drain);
    });
  }

  /** Marks as much as may move now: all but max_parallel of a group stay healthy. Batch work is waited for. */
  #move(node: NodeRecord): void {
    if (this.endless.has(node.name)) return;
    const here = this.scheduler
      .on(node)
      .filter((each) => isLive(each) && !each.migrate && each.job.type === "service");
    for (const allocation of here) {
      const { job, group } = allocation;
      const healthy = this.scheduler
        .of(job)
        .filter(
          (each) => each.group.name === group.name && isLive(each) && each.healthy && !each.migrate,
        ).length;
      if (healthy <= group.count - group.maxParallel) continue;
      this.scheduler.mark(allocation);
      this.timeline.after(TIMES.drain.markMs, () => {
        this.#stop(allocation);
      });
    }
  }

  #stop(allocation: Allocation): void {
    if (!isLive(allocation)) return;
    this.scheduler.stopAllocation(allocation);
    this.scheduler.evaluate(allocation.job);
  }

  #finish(node: NodeRecord): void {
    const { drain } = node;
    if (!drain || this.endless.has(node.name) || this.#remaining(node).length > 0) return;
    node.drain = undefined;
    this.#end(node, "complete");
    this.nodes.event(node, "Node drain complete");
    if (!drain.ignoreSystemJobs) this.#stopSystem(node);
  }

  /** At the deadline the drain is over and the work that is left is told to stop: it may go on until its kill timeout. */
  #force(node: NodeRecord): void {
    const { drain } = node;
    if (!drain || this.endless.has(node.name)) return;
    const left = this.#remaining(node);
    node.drain = undefined;
    this.#end(node, "complete");
    this.nodes.event(node, "Node drain complete", { deadline_reached: "true" });
    for (const each of left.filter(isLive)) {
      this.scheduler.mark(each);
      this.#stop(each);
    }
    if (!drain.ignoreSystemJobs) this.#stopSystem(node);
  }

  #stopSystem(node: NodeRecord): void {
    for (const each of this.scheduler.on(node))
      if (each.job.type === "system" && isLive(each)) this.scheduler.stopAllocation(each);
  }

  #end(node: NodeRecord, status: "complete" | "canceled", meta?: LastDrain["meta"]): void {
    if (!node.lastDrain) return;
    node.lastDrain = {
      ...node.lastDrain,
      status,
      updatedAt: this.timeline.now,
      ...(meta === undefined ? {} : { meta }),
    };
  }
}
