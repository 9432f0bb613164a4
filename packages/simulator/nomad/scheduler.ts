import type { Ids } from "../ids.js";
import type { Raft } from "../raft.js";
import type { Timeline } from "../timeline.js";
import { isLive, isOver, type Allocation, type ClientStatus } from "./allocation.js";
import type { Constraint, Group, Job } from "./job.js";
import type { NodeRecord } from "./node-record.js";
import type { Nodes } from "./nodes.js";
import { TIMES } from "./times.js";

/** Jobs and their allocations: what runs where, and what is put where next. */
export class Scheduler {
  readonly jobs = new Map<string, Job>();
  readonly allocations = new Map<string, Allocation>();
  index = 1;
  readonly #watchers: ((allocation: Allocation) => void)[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly ids: Ids,
    private readonly raft: Raft,
    private readonly nodes: () => Nodes,
  ) {}

  /** Tells of every allocation that has changed. */
  onChange(watch: (allocation: Allocation) => void): void {
    this.#watchers.push(watch);
  }

  of(job: Job): Allocation[] {
    return [...this.allocations.values()].filter((each) => each.job.id === job.id);
  }

  on(node: NodeRecord): Allocation[] {
    return [...this.allocations.values()].filter((each) => each.node.id === node.id);
  }

  register(job: Job): void {
    this.jobs.set(job.id, job);
    this.index = job.modifyIndex;
    for (const each of this.of(job)) {
      const group = job.groups.find(({ name }) => name === each.group.name);
      if (isLive(each) && job.type !== "system" && each.slot >= (group?.count ?? 0))
        this.stopAllocation(each);
    }
    this.evaluate(job);
  }

  stop(job: Job): void {
    job.stopped = true;
    for (const each of this.of(job)) if (isLive(each)) this.stopAllocation(each);
  }

  /** Places whatever a job lacks, as far as it fits. */
  evaluate({ id }: Job): void {
    const job = this.jobs.get(id);
    if (!job || job.stopped) return;
    for (const group of job.groups) {
      if (job.type === "system") this.#placeOnAll(job, group);
      else this.#placeMissing(job, group);
    }
  }

  evaluateAll(): void {
    for (const job of this.jobs.values()) this.evaluate(job);
  }

  /** How many of a group wait for a place. */
  queued(job: Job, group: Group): number {
    if (job.stopped || job.type === "system") return 0;
    return this.#missing(job, group).length;
  }

  #missing(job: Job, group: Group): number[] {
    const taken = new Set(
      this.of(job)
        .filter((each) => each.group.name === group.name && (isLive(each) || this.#isSettled(each)))
        .map(({ slot }) => slot),
    );
    return Array.from({ length: group.count }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  }

  /** A batch allocation that has done its work, or a failure that will be tried again later: nothing to place now. */
  #isSettled(allocation: Allocation): boolean {
    if (allocation.desired === "stop") return false;
    if (allocation.client === "complete") return allocation.job.type === "batch";
    return (
      allocation.client === "failed" && this.timeline.now < (allocation.endedAt ?? 0) + TIMES.rescheduleMs
    );
  }

  #placeMissing(job: Job, group: Group): void {
    for (const slot of this.#missing(job, group)) {
      const node = this.#choose(job, group);
      if (node) this.#place(job, group, slot, node);
    }
  }

  #placeOnAll(job: Job, group: Group): void {
    for (const node of this.nodes().records.values()) {
      const has = this.on(node).some((each) => each.job.id === job.id && isLive(each));
      if (!has && this.#fits(job, group, node)) this.#place(job, group, 0, node);
    }
  }

  /** The node that fits and has the least work, first this job's. */
  #choose(job: Job, group: Group): NodeRecord | undefined {
    const fitting = [...this.nodes().records.values()]
      .filter((node) => this.#fits(job, group, node))
      .map((node) => {
        const live = this.on(node).filter(isLive);
        return { node, own: live.filter((each) => each.job.id === job.id).length, all: live.length };
      });
    fitting.sort(
      (one, other) =>
        one.own - other.own || one.all - other.all || (one.node.name < other.node.name ? -1 : 1),
    );
    return fitting[0]?.node;
  }

  #fits(job: Job, group: Group, node: NodeRecord): boolean {
    const { cpuMhz, memoryMb, nodePool } = node.agent.settings;
    if (!node.takesWork) return false;
    if (job.spec.NodePool !== "all" && job.spec.NodePool !== nodePool) return false;
    if (!group.constraints.every((each) => this.#holds(each, job, node))) return false;
    const here = this.on(node).filter((each) => !isOver(each));
    const cpu = here.reduce((total, each) => total + each.group.cpu, group.cpu);
    const memory = here.reduce((total, each) => total + each.group.memoryMb, group.memoryMb);
    return cpu <= cpuMhz && memory <= memoryMb;
  }

  #holds({ LTarget, Operand, RTarget }: Constraint, job: Job, node: NodeRecord): boolean {
    if (Operand === "distinct_hosts")
      return !this.on(node).some((each) => each.job.id === job.id && isLive(each));
    const value = attributeOf(node, LTarget);
    if (Operand === "!=" || Operand === "not") return value !== RTarget;
    if (Operand === "regexp") return value !== undefined && new RegExp(RTarget).test(value);
    return value === RTarget;
  }

  /** What waited for a place follows on nothing in Nomad's eyes: only what is placed as the old one is stopped is linked to it. */
  #place(job: Job, group: Group, slot: number, node: NodeRecord): void {
    const { now } = this.timeline;
    const before = this.of(job)
      .filter((each) => each.group.name === group.name && each.slot === slot && each.next === "")
      .filter((each) => job.type !== "system" || each.node === node)
      .filter(({ stoppedAt = now }) => stoppedAt === now)
      .at(-1);
    const index = this.raft.next();
    const allocation: Allocation = {
      id: this.ids.next(),
      evalId: this.ids.next(),
      job,
      group,
      slot,
      node,
      previous: before?.id ?? "",
      createdAt: now,
      createIndex: index,
      desired: "run",
      stoppedAt: undefined,
      client: "pending",
      migrate: false,
      healthy: undefined,
      healthyAt: 0,
      next: "",
      startedAt: undefined,
      endedAt: undefined,
      modifyIndex: index,
      modifiedAt: now,
    };
    if (before) before.next = allocation.id;
    this.allocations.set(allocation.id, allocation);
    this.#changed(allocation);
    this.#onClient(allocation, TIMES.task.startMs, () => {
      this.#started(allocation);
    });
  }

  #started(allocation: Allocation): void {
    if (!isLive(allocation)) return;
    const { runsOnlyOn, runsForMs } = allocation.job.behaviour;
    allocation.startedAt = this.timeline.now;
    if (runsOnlyOn && !runsOnlyOn.includes(allocation.node.name)) {
      allocation.healthy = false;
      this.#end(allocation, "failed");
      this.timeline.after(TIMES.rescheduleMs, () => {
        if (allocation.desired === "run") this.evaluate(allocation.job);
      });
      return;
    }
    allocation.client = "running";
    this.#changed(allocation);
    this.timeline.after(allocation.group.minHealthyMs, () => {
      if (!isLive(allocation)) return;
      allocation.healthy = true;
      allocation.healthyAt = this.timeline.now;
      this.#changed(allocation);
    });
    if (runsForMs === undefined) return;
    this.timeline.after(runsForMs, () => {
      if (allocation.client === "running" && allocation.node.agent.running) this.#end(allocation, "complete");
    });
  }

  /** Tells an allocation to stop. It ends at once, or by its kill timeout when its task does not listen. */
  stopAllocation(allocation: Allocation): void {
    if (allocation.desired === "stop") return;
    allocation.desired = "stop";
    allocation.stoppedAt = this.timeline.now;
    this.#changed(allocation);
    const { shutdownDelayMs, killTimeoutMs } = allocation.group;
    const endMs = allocation.job.behaviour.ignoresTerm ? killTimeoutMs : TIMES.task.stopMs;
    this.#onClient(allocation, shutdownDelayMs + endMs, () => {
      this.#end(allocation, "complete");
    });
  }

  /** A client that is away does it once it is back. On one that stays away the allocation is over before: lost. */
  #onClient(allocation: Allocation, ms: number, act: () => void): void {
    this.timeline.after(ms, () => {
      if (isOver(allocation)) return;
      if (allocation.node.agent.running) act();
      else this.#onClient(allocation, TIMES.task.startMs, act);
    });
  }

  /** The node is gone: what ran there is lost, and placed anew. */
  lose(node: NodeRecord): void {
    const lost = this.on(node).filter((each) => !isOver(each));
    for (const each of lost) {
      each.desired = "stop";
      each.stoppedAt = this.timeline.now;
      this.#end(each, "lost");
    }
    for (const job of new Set(lost.map((each) => each.job))) this.evaluate(job);
  }

  mark(allocation: Allocation): void {
    allocation.migrate = true;
    this.#changed(allocation);
  }

  /** Forgets what has ended. */
  collect(): void {
    for (const each of [...this.allocations.values()])
      if (isOver(each) && each.desired === "stop") this.allocations.delete(each.id);
    for (const job of [...this.jobs.values()])
      if (job.stopped && this.of(job).length === 0) this.jobs.delete(job.id);
    this.index = this.raft.next();
  }

  #end(allocation: Allocation, client: ClientStatus): void {
    allocation.client = client;
    allocation.endedAt = this.timeline.now;
    this.#changed(allocation);
    // Its place is free for others that wait.
    this.evaluateAll();
  }

  #changed(allocation: Allocation): void {
    this.index = this.raft.next();
    allocation.modifyIndex = this.index;
    allocation.modifiedAt = this.timeline.now;
    for (const watch of this.#watchers) watch(allocation);
  }
}

function attributeOf(node: NodeRecord, target: string): string | undefined {
  const name = /^\$\{(.*)\}$/.exec(target)?.[1];
  if (name === undefined) return target;
  if (name.startsWith("meta.")) return node.agent.settings.meta[name.slice("meta.".length)];
  return new Map([
    ["node.unique.name", node.name],
    ["attr.unique.hostname", node.name],
    ["node.unique.id", node.id],
    ["node.datacenter", "dc1"],
    ["node.pool", node.agent.settings.nodePool],
  ]).get(name);
}
