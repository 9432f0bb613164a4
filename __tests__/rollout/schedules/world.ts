import { hostName } from "../../../cluster/address.js";
import type { GroupChange } from "../../../cluster/yaml/edit.js";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf, roleOf, serversOf, type Group } from "../../../cluster/groups.js";
import type { Hold } from "../../../cluster/run/hold.js";
import { deployedHash, groupsInFlight } from "../../../cluster/pending.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import type { Deployed } from "../../../cluster/deployed.js";
import type { LeaveStep, ServerRef } from "../../../rollout/leave/step.js";
import { isHostOf, withoutRegion } from "../../../rollout/observation/host-of.js";
import type { Observation } from "../../../rollout/observation/observation.js";
import { SimulatedCluster } from "../../../packages/simulator/cluster.js";
import { leave } from "../../../packages/simulator/consul/leaving.js";
import { isOver } from "../../../packages/simulator/nomad/allocation.js";
import type { NodeRecord } from "../../../packages/simulator/nomad/node-record.js";
import { serviceJob } from "../../contract/service-job.js";
import { imageOf } from "../../support/simulated-machine.js";
import { EPOCH, observe } from "./observe.js";
import { judge, State, type Change, type Plan } from "./state.js";

/** A rule that must hold whatever happens, broken. */
export class Violation extends Error {}

/** The process of the run is gone. */
export class Killed extends Error {}

export type Ambush = "before it goes" | "once it has gone";

/** A simulated cluster, its state, its spec and its run folder; and the watch over what must never be. */
export class World {
  readonly cluster = new SimulatedCluster();
  readonly state: State;
  spec: Spec;
  hold: Hold | undefined;
  events: LogEvent[] = [];
  snapshotAt: number | null = null;
  /** Nobody answers until then, in simulated milliseconds. */
  muteUntil = 0;
  /** When a second server dies where one leaves: after the preflight, or once the first has gone. */
  ambush: Ambush | undefined;
  /** The next change of an apply is done and not written down, and the run is killed by it. */
  isTorn = false;
  /** Ctrl-C for the run that is under way. */
  interrupt = (): void => undefined;
  /** Groups that were touched by a run and have not been whole since. */
  readonly out = new Set<string>();
  /** What was done, for people. */
  readonly story: string[] = [];
  /** Groups that may be pending beside the one at hand: the operator's own edits. */
  edited = false;
  #addresses = 0;
  /** The serial for which the spec was watched last. */
  #watched = -1;
  #inFlight = { serial: -1, groups: new Set<string>() };

  constructor(spec: Spec, deployed: Deployed) {
    this.spec = spec;
    this.state = new State(structuredClone(deployed), {
      start: (group, host) => {
        this.#start(group, host);
        this.story.push(`${hostName(group.name, host)} starts from ${group.image}`);
      },
      end: (group, host) => {
        this.#end(group, host);
      },
      tell: (group, host) => {
        const name = hostName(group, host);
        if (this.cluster.machines.has(name)) this.cluster.writeRetryJoin(name, this.#consulAddresses());
      },
    });
    for (const group of groupsOf(spec))
      for (let host = 0; host < group.hosts; host++) this.#start(group, host);
    const addresses = this.#consulAddresses();
    for (const name of this.cluster.machines.keys()) this.cluster.writeRetryJoin(name, addresses);
    this.cluster.advance(45_000);
    this.cluster.runJob(serviceJob("web", 3));
    this.cluster.advance(15_000);
  }

  get now(): number {
    return EPOCH + this.cluster.timeline.now;
  }

  get deployed(): Deployed {
    return this.state.deployed;
  }

  log(event: Omit<LogEvent, "at" | "run">): void {
    this.events.push({ at: new Date(this.now).toISOString(), run: "r", ...event });
  }

  observe(group: string, agentsOf: readonly string[] = []): Observation {
    const isMute = this.cluster.timeline.now < this.muteUntil;
    return observe(this.cluster, { group, agentsOf, isMute, snapshotAt: this.snapshotAt });
  }

  /** Kills another server of the pool of a group that leaves, if somebody lies in wait for it: nobody has seen it yet. */
  spring(when: Ambush, name: string): void {
    const { role, pool } = this.state.group(name);
    const other = [...this.state.groups.values()].find((each) => each.pool === pool && each.name !== name);
    const host = other?.hosts[0]?.name ?? "";
    if (this.ambush !== when || role === "client" || this.cluster.machines.get(host)?.isRunning !== true)
      return;
    this.ambush = undefined;
    this.story.push(`${host} dies`);
    this.cluster.killMachine(host);
  }

  /** Does one step of a leave, as the agents would. */
  act(step: LeaveStep, group: string): void {
    const { cluster } = this;
    if (step.action === "wait") return;
    this.story.push(sentence(step));
    if (step.action === "snapshot-consul" || step.action === "snapshot-nomad") {
      this.snapshotAt = this.now;
      return;
    }
    this.#touches(group);
    switch (step.action) {
      case "mark-ineligible":
        for (const node of this.#nodes(step.nodes)) cluster.nomad.nodes.setEligible(node, false);
        break;
      case "drain":
        this.#mayDrain(group, step.nodes);
        for (const node of this.#nodes(step.nodes)) {
          cluster.nomad.drainer.start(node, {
            deadline: step.drainDeadlineSeconds * 1e9,
            ignoreSystemJobs: false,
            meta: null,
            accessor: "",
          });
        }
        break;
      case "consul-leave":
        for (const host of step.hosts) {
          this.#mayGo(host, "consul-server");
          const agent = cluster.machine(host).consul;
          if (agent?.running) leave(cluster.consul, agent);
        }
        this.spring("once it has gone", group);
        break;
      case "stop-nomad-server":
        this.#mayGo(step.host, "nomad-server");
        cluster.stopAgent(step.host, "nomad");
        this.spring("once it has gone", group);
        break;
      case "transfer-nomad-leadership":
        this.#mayLead(step.to);
        cluster.nomad.servers.raft.transfer(step.to.id);
        break;
      case "remove-nomad-peer":
        this.#mayGo(withoutRegion(step.peer.name), "nomad-server");
        cluster.nomad.servers.removePeer(step.peer.id);
        break;
      case "remove-consul-peer":
        this.#mayGo(step.peer.name, "consul-server");
        cluster.consul.raft.remove(step.peer.id);
        break;
      case "transfer-consul-leadership":
      case "deregister-targets":
        throw new Error(`not in this world: ${step.action}`);
    }
    cluster.timeline.look();
  }

  /** Applies a plan, one change after the other; whoever is killed between two leaves the rest undone. */
  async apply(plan: Plan, verdict: ReturnType<typeof judge>, between: () => Promise<void>): Promise<void> {
    if (!verdict.accepted || verdict.plan !== plan || plan.base !== this.state.serial) {
      throw new Violation(`a plan of ${plan.target} is applied without an accepted verdict on it`);
    }
    for (const change of plan.changes) {
      await between();
      if (change.kind === "host" && change.action === "create") this.out.add(change.group);
      if (change.kind === "host" && change.action === "destroy") this.#touches(change.group);
      if (change.kind === "host" && change.action === "destroy") this.#mayEnd(change.group, change.host ?? 0);
      if (this.isTorn) {
        this.isTorn = false;
        this.#tear(change);
        throw new Killed();
      }
      change.make();
      this.state.serial++;
    }
  }

  /** Does what a change does to the machines, and nothing to the state. */
  #tear({ group, kind, action, host = 0 }: Change): void {
    this.story.push(`--- torn: ${action} of ${kind} in ${group}`);
    if (kind !== "host") return;
    if (action === "destroy") this.#end(group, host);
    else this.#start(findGroup(this.spec, group), host);
  }

  /** Gives a group another image or generation in the spec. */
  edit(name: string, { image, generation }: GroupChange): void {
    const { pool, index } = findGroup(this.spec, name);
    this.spec = structuredClone(this.spec);
    const settings = this.spec.pools[pool];
    if (settings && image !== undefined) settings.images[index] = image;
    if (settings && generation !== undefined && generation !== (settings.generations?.[index] ?? 0)) {
      settings.generations ??= [0, 0, 0];
      settings.generations[index] = generation;
    }
    this.#watched = -1;
  }

  /** What must hold at any moment. */
  watch(): void {
    for (const group of this.out) if (this.isWhole(group)) this.out.delete(group);
    if (this.#watched === this.state.serial) return;
    this.#watched = this.state.serial;
    const pending = groupsOf(this.spec)
      .filter(({ name, hash }) => deployedHash(this.state.groups.get(name)) !== hash)
      .map(({ name }) => name);
    if (!this.edited && pending.length > 1) {
      throw new Violation(`the spec says more than one group beyond what is deployed: ${pending.join(", ")}`);
    }
  }

  /** By the state and by the cluster itself. */
  isWhole(name: string): boolean {
    const { serial } = this.state;
    if (this.#inFlight.serial !== serial) {
      const groups = groupsInFlight(this.deployed, "local").map((each) => each.group);
      this.#inFlight = { serial, groups: new Set(groups) };
    }
    if (this.#inFlight.groups.has(name)) return false;
    return this.#looksWhole(name);
  }

  /** By the cluster itself, as far as its members can know by now. */
  #looksWhole(name: string): boolean {
    const group = this.state.group(name);
    return group.hosts.every((host) => {
      const machine = this.cluster.machines.get(host.name);
      if (this.cluster.consul.gossip.members.get(host.name)?.status !== "alive") return false;
      if (group.role === "consul-server") return this.#votes(host.name, "consul-server");
      if (group.role === "nomad-server") return this.#votes(host.name, "nomad-server");
      return this.cluster.nomad.nodes.records.get(machine?.nomad?.id ?? "")?.takesWork === true;
    });
  }

  get isAllWhole(): boolean {
    return [...this.state.groups.keys()].every((name) => this.isWhole(name));
  }

  /** Images and wholeness of every group: where a roll has ended. */
  get place(): string {
    return [...this.state.groups.values()]
      .map(
        (group) =>
          `${group.name} ${group.revisions.at(-1)?.image ?? "-"}${this.isWhole(group.name) ? "" : " (not whole)"}`,
      )
      .join(", ");
  }

  /** Never two groups out at once: one that stands is not touched while another is out. One that is lost may be made anew. */
  #touches(group: string): void {
    const stands = this.state
      .group(group)
      .hosts.some(({ name }) => this.cluster.machines.get(name)?.isRunning);
    const others = [...this.out].filter((each) => each !== group && !this.isWhole(each));
    if (stands && others.length > 0)
      throw new Violation(`${group} is touched while ${others.join(", ")} is out`);
    // Where the first touch follows upon the look: whatever has made another group ill, it is known by then.
    const ill = [...this.state.groups.keys()].filter((each) => each !== group && !this.#looksWhole(each));
    if (stands && !this.out.has(group) && this.state.group(group).role === "client" && ill.length > 0)
      throw new Violation(`${group} is begun while ${ill.join(", ")} is seen to be ill`);
    this.out.add(group);
  }

  /** Never a drain before the whole group is ineligible. */
  #mayDrain(group: string, nodes: readonly { readonly id: string }[]): void {
    this.#keepsItsNumber(group, nodes);
    const hash = groupsOf(this.spec).find(({ name }) => name === group)?.hash;
    const eligible = [...this.cluster.nomad.nodes.records.values()].filter(
      (node) =>
        isHostOf(group, node.name) &&
        node.status === "ready" &&
        node.eligible &&
        node.agent.settings.meta["rollout_template_hash"] !== hash,
    );
    if (eligible.length > 0) {
      throw new Violation(
        `${group} is drained while ${eligible.map(({ name }) => name).join(", ")} may get work`,
      );
    }
  }

  /** Where new machines come first, never fewer that work than there are to be, but for those that schedules have killed. */
  #keepsItsNumber(name: string, nodes: readonly { readonly id: string }[]): void {
    const { pool, hosts: number } = findGroup(this.spec, name);
    if (!this.spec.pools[pool]?.maxSurge) return;
    const going = this.state.group(name).hosts.filter((host) => {
      const node = this.cluster.nomad.nodes.records.get(
        this.cluster.machines.get(host.name)?.nomad?.id ?? "",
      );
      return (
        node?.status === "ready" && (node.drain ?? node.lastDrain ?? nodes.some(({ id }) => id === node.id))
      );
    });
    const stay = this.state.group(name).hosts.length - going.length;
    if (stay < number)
      throw new Violation(
        `${name} is drained of ${going.map((host) => host.name).join(", ")}, and ${String(stay)} are left`,
      );
  }

  /**
   * Never a server pool without its majority: at the moment in which a server goes so many others vote and live, whatever
   * anybody knows of them; and never two servers of a group out at once. What strikes once it has gone is the schedule's doing.
   */
  #mayGo(host: string, pool: ServerPool): void {
    if (roleOf(host.slice(0, -4)) !== pool) return;
    const others = this.#side(pool).raft.peers.filter(({ name }) => withoutRegion(name) !== host);
    const alive = others.filter((peer) => peer.voter && this.#lives(peer, pool));
    const majority = Math.floor(serversOf(this.spec, pool) / 2) + 1;
    if (alive.length < majority)
      throw new Violation(`${host} goes, and ${String(alive.length)} others of ${pool} vote and live`);
    const name = host.replace(/-\d+$/, "");
    const mute = this.state
      .group(name)
      .hosts.filter((other) => other.name !== host && this.cluster.machines.get(other.name)?.isRunning)
      .filter(
        (other) => !this.#side(pool).raft.peers.some((peer) => withoutRegion(peer.name) === other.name),
      );
    const isAlive = this.cluster.machines.get(host)?.isRunning === true;
    if (isAlive && mute.length > 0)
      throw new Violation(`${host} goes, and ${mute.map((other) => other.name).join(", ")} is no peer`);
  }

  /** Never a leader that is dead. */
  #mayLead(to: ServerRef): void {
    if (!this.#lives(to, "nomad-server")) throw new Violation(`${to.name} is to lead, and does not live`);
  }

  #lives({ id, name }: ServerRef, pool: ServerPool): boolean {
    const machine = this.cluster.machines.get(withoutRegion(name));
    const agent = pool === "consul-server" ? machine?.consul : machine?.nomad;
    return agent?.running === true && agent.id === id;
  }

  /** Never a machine whose work has not left, and no server that has not left. */
  #mayEnd(group: string, host: number): void {
    const name = hostName(group, host);
    const machine = this.cluster.machines.get(name);
    if (machine?.nomad?.running === true && machine.settings.role === "client") {
      const { id } = machine.nomad;
      const work = [...this.cluster.nomad.scheduler.allocations.values()].filter(
        (one) => one.node.id === id && !isOver(one),
      );
      if (work.length > 0)
        throw new Violation(`${name} is ended while ${String(work.length)} allocations run there`);
    }
    for (const pool of ["consul-server", "nomad-server"] as const) {
      const votes = this.#side(pool).raft.peers.some((peer) => withoutRegion(peer.name) === name);
      if (votes) throw new Violation(`${name} is ended and is still a peer of ${pool}`);
    }
  }

  #votes(host: string, pool: ServerPool): boolean {
    const { raft, gossip } = this.#side(pool);
    const peer = raft.peers.find(({ name }) => withoutRegion(name) === host);
    return peer?.voter === true && gossip.members.get(peer.name)?.status === "alive";
  }

  #side(pool: ServerPool) {
    return pool === "consul-server" ? this.cluster.consul : this.cluster.nomad.servers;
  }

  #nodes(refs: readonly { readonly id: string }[]): NodeRecord[] {
    return refs.flatMap(({ id }) => this.cluster.nomad.nodes.records.get(id) ?? []);
  }

  #start(group: Group, host: number): void {
    const name = hostName(group.name, host);
    const number = ++this.#addresses;
    // Two machines of one name: the one that belongs to no state is what people end, as the run tells them.
    if (this.cluster.machines.get(name)?.isRunning === true) {
      this.story.push(`${name}, which is in no state, is ended by hand`);
      this.cluster.killMachine(name);
    }
    this.cluster.startMachine({
      ...imageOf(this.spec.name, group, host),
      address: `10.0.${String(Math.floor(number / 250))}.${String((number % 250) + 1)}`,
      retryJoin: this.#consulAddresses(),
    });
  }

  #end(group: string, host: number): void {
    const name = hostName(group, host);
    if (this.cluster.machines.get(name)?.isRunning === true) this.cluster.killMachine(name);
    this.story.push(`${name} is destroyed`);
  }

  #consulAddresses(): string[] {
    return [...this.cluster.machines.values()]
      .filter(({ settings, consul }) => settings.role === "consul-server" && consul?.running === true)
      .map(({ settings }) => settings.address);
  }
}

type ServerPool = "consul-server" | "nomad-server";

/** `drain broker-0-0, broker-0-1` */
function sentence(step: LeaveStep): string {
  if ("nodes" in step) return `${step.name} ${step.nodes.map(({ host }) => host).join(", ")}`;
  if ("hosts" in step) return `${step.name} ${step.hosts.join(", ")}`;
  if ("to" in step) return `${step.name} ${step.to.name}`;
  if ("peer" in step) return `${step.name} ${step.peer.name}`;
  return "host" in step ? `${step.name} ${step.host}` : step.name;
}
