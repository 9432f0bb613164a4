import { nextLeave } from "../../../rollout/leave/next-leave.js";
import type { LeaveOrder } from "../../../rollout/leave/order.js";
import type { LeaveStep, NextLeave } from "../../../rollout/leave/step.js";
import { isUnknown } from "../../../rollout/observation/observation.js";
import { known, START, wholeCluster, type AllocationDraft, type World } from "../observed.js";

/** How the cluster of the model behaves. */
interface Habits {
  /** Nomad servers that are stopped read `alive` and `failed` before they are gone, instead of leaving. */
  readonly leavesGracefully: boolean;
  /** Drains end by their deadline. */
  readonly hitsDeadline: boolean;
}

const USUAL: Habits = { leavesGracefully: true, hitsDeadline: false };

/** Does a step, as Consul and Nomad would. Nothing but the world is kept. */
export function apply(world: World, step: LeaveStep, habits = USUAL): void {
  switch (step.action) {
    case "wait":
      break;
    case "deregister-targets":
      for (const target of known(world.targets))
        if (step.hosts.includes(target.host)) target.state = "draining";
      break;
    case "mark-ineligible":
      for (const node of nodesOf(world, step.nodes)) {
        node.eligibility = "ineligible";
        node.events.push({
          at: world.at,
          message: "Node marked as ineligible for scheduling",
          deadlineReached: false,
        });
      }
      break;
    case "drain":
      for (const node of nodesOf(world, step.nodes)) {
        node.drain = { deadlineAt: world.at + step.drainDeadlineSeconds * 1000 };
        node.lastDrain = { status: "draining" };
        node.events.push({ at: world.at, message: "Node drain strategy set", deadlineReached: false });
      }
      break;
    case "consul-leave":
      for (const member of known(world.consul.members)) {
        if (step.hosts.includes(member.name) && member.status === "alive") member.status = "leaving";
      }
      break;
    case "snapshot-consul":
    case "snapshot-nomad":
      world.snapshotAt = world.at;
      break;
    case "transfer-consul-leadership":
      lead(world.consul, step.to.id, world.at);
      break;
    case "transfer-nomad-leadership":
      lead(world.nomad, step.to.id, world.at);
      break;
    case "remove-consul-peer":
      world.consul.raft = known(world.consul.raft).filter(({ id }) => id !== step.peer.id);
      break;
    case "remove-nomad-peer":
      world.nomad.raft = known(world.nomad.raft).filter(({ id }) => id !== step.peer.id);
      break;
    case "stop-nomad-server":
      for (const member of known(world.nomad.members)) {
        if (member.name !== `${step.host}.global` || member.status !== "alive") continue;
        if (habits.leavesGracefully) member.status = "leaving";
      }
      // It has stopped whether or not anybody has asked its agent yet: Serf notices in either case.
      answer(world, [step.host]);
      for (const agent of world.agents) if (agent.host === step.host) agent.nomad = "stopped";
      break;
  }
}

/** A second passes. What an election or a restart explains passes with it. */
export function tick(world: World, habits = USUAL): void {
  world.at += 1000;
  heal(world);
  notice(world);
  drainOn(world, habits);
  for (const target of known(world.targets)) {
    if (target.state === "draining" && isSlow(world)) target.state = "unused";
  }
  for (const member of known(world.consul.members)) {
    if (!isSlow(world)) break;
    if (member.status === "leaving") member.status = "left";
    if (member.status !== "left") continue;
    world.consul.catalog = known(world.consul.catalog).filter(({ name }) => name !== member.name);
    world.consul.raft = known(world.consul.raft).filter(({ name }) => name !== member.name);
  }
  for (const member of known(world.nomad.members)) {
    const isStopped = world.agents.some(
      ({ host, nomad }) => nomad === "stopped" && `${host}.global` === member.name,
    );
    if (member.status === "leaving" && isSlow(world)) member.status = "left";
    else if (member.status === "alive" && isStopped && isSlow(world)) member.status = "failed";
    if (member.status === "left") {
      world.nomad.raft = known(world.nomad.raft).filter(({ name }) => name !== member.name);
    }
  }
  elect(world);
}

/** What could not be asked can be asked again, and autopilot sees what raft says. */
function heal(world: World): void {
  const whole = wholeCluster();
  for (const side of [world.consul, world.nomad] as const) {
    const model = side === world.consul ? whole.consul : whole.nomad;
    for (const key of Object.keys(side)) {
      if (isUnknown(Reflect.get(side, key))) Reflect.set(side, key, Reflect.get(model, key));
    }
  }
  if (isUnknown(world.targets)) world.targets = [];
}

/** Consul and Nomad notice the machines that are gone. */
function notice(world: World): void {
  if (!isSlow(world)) return;
  const machines = isUnknown(world.machines) ? [] : world.machines;
  const gone = machines.filter(({ state }) => state === "terminated").map(({ host }) => host);
  for (const member of [...known(world.consul.members), ...known(world.nomad.members)]) {
    if (gone.includes(member.name.replace(".global", "")) && member.status !== "left")
      member.status = "failed";
  }
  for (const { host, consul } of world.agents) {
    const member = known(world.consul.members).find(({ name }) => name === host);
    if (consul === "stopped" && member?.status === "alive") member.status = "failed";
  }
  for (const node of known(world.nomad.nodes)) if (gone.includes(node.name)) node.status = "down";
}

function drainOn(world: World, { hitsDeadline }: Habits): void {
  for (const node of known(world.nomad.nodes)) {
    const left = known(world.nomad.allocations).filter(
      (one) => one.node === node.id && !["complete", "failed", "lost"].includes(one.clientStatus),
    );
    if (node.drain && node.status !== "down" && left.length > 0 && !hitsDeadline) {
      const [first] = left;
      if (first) end(world, first);
      continue;
    }
    if (node.drain && (hitsDeadline || left.length === 0)) {
      node.drain = null;
      node.lastDrain = { status: "complete" };
      node.events.push({ at: world.at, message: "Node drain complete", deadlineReached: hitsDeadline });
    } else if (
      left.length > 0 &&
      node.lastDrain?.status === "complete" &&
      node.eligibility === "ineligible"
    ) {
      for (const one of left) end(world, one);
    } else if (node.status === "down") {
      for (const one of left) Object.assign(one, { clientStatus: "lost", desiredStatus: "stop" });
    }
  }
  if (!isSlow(world)) return;
  for (const { groups } of known(world.nomad.jobs)) {
    for (const group of groups) {
      group.running = Math.min(group.desired, group.running + 1);
      group.healthy = Math.min(group.running, group.healthy + 1);
    }
  }
}

/** What takes a while happens each fifth second, so that it is seen on its way. */
const isSlow = ({ at }: World): boolean => (at / 1000) % 5 === 4;

function end(world: World, one: AllocationDraft): void {
  Object.assign(one, { clientStatus: "complete", desiredStatus: "stop", since: world.at });
  const job = known(world.nomad.jobs).find(({ id, type }) => id === one.job && type === "service");
  for (const group of job?.groups ?? []) {
    group.running = Math.max(0, group.running - 1);
    group.healthy = Math.min(group.running, group.healthy);
  }
}

/** Raft keeps a leader while a majority of the voters lives, and autopilot sees what raft says. */
function elect(world: World): void {
  for (const side of [world.consul, world.nomad] as const) {
    const raft = known(side.raft);
    const members: readonly { name: string; status: string }[] = known(side.members);
    const alive = raft.filter(
      ({ name, voter }) =>
        voter && members.some((member) => member.name === name && member.status === "alive"),
    );
    const voters = raft.filter(({ voter }) => voter);
    const present = raft.find(({ leader }) => leader);
    const hasMajority = alive.length * 2 > voters.length;
    for (const peer of raft) {
      peer.leader =
        hasMajority && (present && alive.includes(present) ? peer === present : peer === alive[0]);
    }
    side.autopilot = {
      healthy: alive.length === voters.length,
      failureTolerance: Math.max(0, alive.length - Math.floor(voters.length / 2) - 1),
      servers: raft.map((peer) => ({
        id: peer.id,
        name: peer.name,
        voter: peer.voter,
        leader: peer.leader,
        healthy: members.some(({ name, status }) => name === peer.name && status === "alive"),
        stableSince: START - 3_600_000,
      })),
    };
  }
}

function lead(side: World["consul"] | World["nomad"], id: string, at: number): void {
  for (const peer of known(side.raft)) peer.leader = peer.id === id;
  for (const server of known(side.autopilot).servers) {
    server.leader = server.id === id;
    server.stableSince = at;
  }
}

const nodesOf = (world: World, refs: readonly { readonly id: string }[]) =>
  known(world.nomad.nodes).filter(({ id }) => refs.some((ref) => ref.id === id));

export interface Run {
  /** `drain broker-0-0, broker-0-1`; a wait once, however long it took. */
  readonly log: readonly string[];
  readonly end: NextLeave;
  readonly world: World;
  /** The world before each step. */
  readonly before: readonly World[];
}

/** Asks for steps and does them until there is none; more than a hundred are no end. */
export function run(start: World, order: LeaveOrder, habits = USUAL): Run {
  const world = structuredClone(start);
  const log: string[] = [];
  const before: World[] = [];
  for (let count = 0; count < 100; count++) {
    before.push(structuredClone(world));
    const next = nextLeave(world, order);
    if (next.kind === "look") {
      answer(world, next.agentsOf);
      continue;
    }
    if (next.kind !== "step") {
      return { log: [...log, next.kind], end: next, world, before };
    }
    const line = lineOf(next.step);
    if (log.at(-1) !== line) log.push(line);
    apply(world, next.step, habits);
    tick(world, habits);
  }
  throw new Error(`no end: ${log.slice(-5).join(" | ")}`);
}

/** Whoever is asked answers, if it is there. */
function answer(world: World, hosts: readonly string[]): void {
  const { agents } = wholeCluster();
  const asked = new Set(world.agents.map(({ host }) => host));
  world.agents.push(...agents.filter(({ host }) => hosts.includes(host) && !asked.has(host)));
}

function lineOf(step: LeaveStep): string {
  if ("nodes" in step) return `${step.name} ${step.nodes.map(({ host }) => host).join(", ")}`;
  if ("hosts" in step) return `${step.name} ${step.hosts.join(", ")}`;
  if ("to" in step) return `${step.name} ${step.to.name}`;
  if ("peer" in step) return `${step.name} ${step.peer.name}`;
  return "host" in step ? `${step.name} ${step.host}` : step.name;
}
