import fc from "fast-check";
import type { Wanted } from "../../../rollout/roll/next-group.js";
import { groupsOf, hostNames } from "../../../cluster/groups.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { change, deployedAs, poolOf, smallSpec } from "../../support/fixtures.js";
import { drive, type RunEnd } from "./driver.js";
import { Killed, Violation, World, type Ambush } from "./world.js";

/** One client pool with two hosts in its first group; gates and drains that do not take for ever. */
const SPEC = change(smallSpec(), (spec) => {
  const broker = poolOf(spec, "broker");
  broker.hosts = [2, 1, 1];
  broker.drain = { deadline: "3m", onDeadline: "fail" };
  for (const pool of Object.values(spec.pools)) {
    pool.ready.timeout = "4m";
    pool.bake = { time: "10s", first: "20s" };
  }
});

/** The same with five servers of Consul and of Nomad. */
export const FIVE = change(SPEC, (spec) => {
  for (const pool of ["consul-server", "nomad-server"]) poolOf(spec, pool).hosts = [2, 2, 1];
});

/** The same with clients whose new machines come first, and whose machines go one at a time. */
export const SURGE = change(SPEC, (spec) => {
  poolOf(spec, "broker").maxSurge = 1;
});
const BATCHES = change(FIVE, (spec) => {
  poolOf(spec, "broker").maxUnavailable = 1;
});

const HOSTS = [...groupsOf(FIVE).flatMap(hostNames), "broker-0-2"];
const GROUPS = groupsOf(SPEC).map(({ name }) => name);

export const newWorld = (spec = SPEC): World => new World(spec, deployedAs(spec));

/** What somebody asks for: a pool or all, with a new image. */
export function asked(what: string): Wanted {
  const groups = what === "--all" ? GROUPS : GROUPS.filter((name) => name.startsWith(`${what}-`));
  return { groups, image: "v2", command: `rollout deploy ${what} --image v2` };
}

/** Something that happens between two steps of a run. */
export type Event =
  | { readonly what: "killed" | "interrupted" }
  /** Killed within the next change of an apply: it is done, and the state does not have it. */
  | { readonly what: "torn" }
  | { readonly what: "paused" | "resumed" | "cancelled" | "undone" }
  | { readonly what: "edited"; readonly group: string; readonly image: string }
  | { readonly what: "machine dies"; readonly host: string; readonly isLost: boolean }
  | { readonly what: "agent restarts"; readonly host: string; readonly product: "consul" | "nomad" }
  | { readonly what: "work stays"; readonly host: string }
  | { readonly what: "next machine is dead"; readonly host: string }
  | { readonly what: "a second server dies at the next leave"; readonly when: Ambush }
  | { readonly what: "nobody answers"; readonly seconds: number }
  | { readonly what: "state moves" }
  | { readonly what: "time passes"; readonly seconds: number };

/** Each event after so many steps of the runs. */
export type Schedule = readonly { readonly after: number; readonly event: Event }[];

const anyHost = fc.constantFrom(...HOSTS);

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constantFrom("killed", "killed", "killed", "interrupted", "torn") }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom("paused", "resumed", "cancelled", "undone") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("edited"),
      group: fc.constantFrom(...GROUPS),
      image: fc.constantFrom("v1", "v2", "v3"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("machine dies"), host: anyHost, isLost: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("agent restarts"),
      host: anyHost,
      product: fc.constantFrom("consul", "nomad"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("work stays"), host: anyHost }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("next machine is dead"), host: anyHost }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant("nobody answers"), seconds: fc.constantFrom(10, 60, 200) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("a second server dies at the next leave"),
      when: fc.constantFrom("before it goes", "once it has gone"),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ what: "state moves" } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("time passes"), seconds: fc.constantFrom(3, 20, 60, 300) }),
  },
);

export const anySchedule: fc.Arbitrary<Schedule> = fc.array(
  fc.record({ after: fc.nat(60), event: anyEvent }),
  { maxLength: 6 },
);

export const anySpec: fc.Arbitrary<Spec> = fc
  .record({
    onFailure: fc.constantFrom("stop", "undo"),
    manual: fc.boolean(),
    interval: fc.constantFrom("0s", "0s", "20s"),
    pauseAfter: fc.constantFrom([], [], ["broker-0"], ["nomad-server-1"]),
    order: fc.constantFrom([], [], ["broker-1"], ["nomad-server", "broker"]),
    pools: fc.constantFrom(SPEC, FIVE, SURGE, BATCHES),
  })
  .map(({ pools, ...rollout }) =>
    change(pools, (spec) => {
      Object.assign(spec.rollout, { ...rollout, manual: rollout.manual && rollout.interval === "20s" });
    }),
  );

/** A run that takes more steps than this does not end. */
const MOST_STEPS = 4000;

export interface Outcome {
  readonly end: RunEnd;
  readonly runs: number;
  readonly steps: number;
}

/** Runs a roll again and again while a schedule happens to it; then everything is put right, and it is run to its end. */
export async function play(world: World, wanted: Wanted, schedule: Schedule): Promise<Outcome> {
  const queue = [...schedule];
  let [steps, due, runs] = [0, queue[0]?.after ?? 0, 0];
  let order = wanted;
  let [answering, again] = [0, 0];
  const happen = (): void => {
    const next = queue.shift();
    due = steps + (queue[0]?.after ?? 0);
    if (!next) return;
    world.story.push(`--- ${JSON.stringify(next.event)}`);
    apply(world, next.event);
  };
  const between = (): Promise<void> => {
    if (++steps > MOST_STEPS) throw new Violation(`no end after ${String(MOST_STEPS)} steps`);
    if (queue.length > 0 && steps >= due) happen();
    // Somebody who is waited for comes in the end.
    if (world.hold && queue.length === 0 && ++answering % 3 === 0) release(world);
    return Promise.resolve();
  };
  for (;;) {
    world.story.push(`--- ${order.command}`);
    const end = await drive(world, order, between).catch((error: unknown): RunEnd => {
      if (error instanceof Killed) return { kind: "killed" };
      throw error;
    });
    runs++;
    world.story.push(`--- ${end.kind}${"reason" in end ? `: ${end.reason}` : ""}`);
    if ("reason" in end && (end.reason === "" || end.command === ""))
      throw new Violation("blocked without a reason");
    if (end.kind === "killed") continue;
    if (queue[0]) {
      // There is no run that could be killed.
      if (ENDS.has(queue[0].event.what)) queue.shift();
      else happen();
      continue;
    }
    // What was lost just before the end is not whole, and no run has seen it yet.
    const isEnd = end.kind === "done" && order === wanted && world.isAllWhole;
    if (isEnd || again++ === 6) return { end, runs, steps };
    putRight(world, end);
    order = end.kind === "done" ? wanted : (toldBy(end) ?? wanted);
  }
}

const ENDS: ReadonlySet<Event["what"]> = new Set(["killed", "interrupted", "torn"]);

/** Two servers of one pool that are gone for good take its majority with them, which nobody's roll brings back. */
const mayBeLost = (world: World, host: string): boolean =>
  [...world.state.groups.values()]
    .filter(({ role, pool }) => role !== "client" && host.startsWith(`${pool}-`))
    .every(({ name, hosts }) => host.startsWith(`${name}-`) || (hosts.length > 0 && world.isWhole(name)));

/** The roll of one group that a blocked run names as what is to be done first. */
function toldBy(end: RunEnd): Wanted | undefined {
  if (!("reason" in end)) return undefined;
  const [command, group = ""] =
    /rollout deploy ([a-z-]+-\d)(?! --image)/.exec(`${end.reason} ${end.command}`) ?? [];
  return command === undefined ? undefined : { groups: [group], command };
}

function apply(world: World, event: Event): void {
  const { cluster } = world;
  const since = new Date(world.now).toISOString();
  switch (event.what) {
    case "killed":
      throw new Killed();
    case "interrupted":
      world.interrupt();
      break;
    case "torn":
      world.isTorn = true;
      break;
    case "paused":
      world.hold = { kind: "pause", since, by: "ops", reason: "a look" };
      break;
    case "resumed":
      release(world);
      break;
    case "cancelled":
      world.hold = { kind: "cancel", since, by: "ops" };
      break;
    case "undone":
      world.hold = { kind: "cancel", since, by: "ops", undo: true };
      break;
    case "edited":
      world.edited = true;
      world.edit(event.group, { image: event.image });
      break;
    case "machine dies":
      if (cluster.machines.get(event.host)?.isRunning === true) cluster.killMachine(event.host);
      if (event.isLost && mayBeLost(world, event.host)) world.state.lose(event.host);
      break;
    case "agent restarts": {
      const agent = cluster.machines.get(event.host)?.[event.product];
      if (agent?.running !== true) break;
      cluster.killAgent(event.host, event.product);
      cluster.advance(3000);
      const now = cluster.machines.get(event.host)?.[event.product];
      if (now && !now.running) cluster.startAgent(event.host, event.product);
      break;
    }
    case "work stays":
      cluster.nomad.drainer.endless.add(event.host);
      break;
    case "next machine is dead":
      cluster.neverBack.add(event.host);
      break;
    case "a second server dies at the next leave":
      world.ambush = event.when;
      break;
    case "nobody answers":
      world.muteUntil = cluster.timeline.now + event.seconds * 1000;
      break;
    case "state moves":
      world.state.serial++;
      break;
    case "time passes":
      cluster.advance(event.seconds * 1000);
      break;
  }
}

function release(world: World): void {
  if (!world.hold) return;
  world.hold = undefined;
}

/** Takes away what went wrong, as people would, and does by hand what the run said is to be done so. */
function putRight(world: World, end: RunEnd): void {
  const { cluster } = world;
  const reason = "reason" in end ? end.reason : "";
  const [, stale = ""] = /deregister the node (\S+)/.exec(reason) ?? [];
  if (cluster.consul.catalog.nodes.has(stale)) {
    cluster.consul.catalog.remove(stale);
    world.story.push(`${stale} is deregistered`);
  }
  release(world);
  world.ambush = undefined;
  world.isTorn = false;
  const { drainer, nodes } = cluster.nomad;
  drainer.endless.clear();
  // The simulator looks once at a node that is empty, and not again once the fault is gone.
  for (const node of nodes.records.values())
    if (node.drain) drainer.start(node, { ...node.drain, meta: null, accessor: "" });
  cluster.neverBack.clear();
  const [, consulPeer = ""] = /remove-peer -id=(\S+)/.exec(reason) ?? [];
  if (consulPeer !== "") cluster.consul.raft.remove(consulPeer);
  const [, nomadPeer = ""] = /remove-peer -peer-id=(\S+)/.exec(reason) ?? [];
  if (nomadPeer !== "") cluster.nomad.servers.removePeer(nomadPeer);
  for (const group of world.state.groups.values()) {
    for (const { name } of group.hosts) {
      const machine = cluster.machines.get(name);
      if (!machine || machine.isRunning) continue;
      cluster.startMachine(machine.settings, "kept");
      world.story.push(`${name} is started again`);
    }
  }
  cluster.advance(120_000);
}
