import type { GroupResult } from "../../../driver/deploy-result.js";
import { Interruption } from "../../../cluster/interruption.js";
import { rollGroups, type RollDeps, type RollEnd } from "../../../driver/roll-groups.js";
import { groupInFlight } from "../../../guard/rules/group-in-flight.js";
import { oneGroup } from "../../../guard/rules/one-group.js";
import { refusal } from "../../../rollout/roll/may-roll.js";
import { nextInGroup } from "../../../rollout/roll/next-step.js";
import { nextLeave } from "../../../rollout/leave/next-leave.js";
import type { LeaveOrder } from "../../../rollout/leave/order.js";
import { type Batch, nextBatch } from "../../../rollout/roll/next-batch.js";
import { serverOrder } from "../../../rollout/roll/server-order.js";
import { isSurged, refuseInSurge } from "../../../rollout/edit/take-back.js";
import { atWork } from "../../../rollout/leave/still-there.js";
import type { Wanted } from "../../../rollout/roll/next-group.js";
import { rollFacts } from "../../../rollout/log/roll-facts.js";
import { readRuns } from "../../../rollout/log/read-runs.js";
import { withoutRegion } from "../../../rollout/observation/host-of.js";
import {
  isWorthWaiting,
  preflight,
  type Preflight,
  type PreflightInput,
} from "../../../rollout/preflight/preflight.js";
import { deadRecords } from "../../../rollout/ready/purge.js";
import { held } from "../../../rollout/ready/held.js";
import { readiness } from "../../../rollout/ready/readiness.js";
import { describeTimeout, isTimedOut } from "../../../rollout/ready/timeout.js";
import { imagesOf, bakeSecondsOf, gateSettingsOf } from "../../../cluster/gate-settings.js";
import { findGroup } from "../../../cluster/find-group.js";
import { type Group, hostNames, serversOf } from "../../../cluster/groups.js";
import { onlyAdds, withNumbers } from "../../../cluster/numbers.js";
import { deployedHash, inFlightOf, isNew } from "../../../cluster/pending.js";
import type { Hold } from "../../../cluster/run/hold.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import type { Step } from "../../../cluster/run/run-log.js";
import { UserError } from "../../../cluster/user-error.js";
import { judge, type Plan } from "./state.js";
import { Killed, Violation, type World } from "./world.js";

class GateFailure extends UserError {}

/** How a run ended. `broken`: what the run said to its user, in an error; `killed`: by a signal. */
export type RunEnd =
  | RollEnd
  | { readonly kind: "broken"; readonly reason: string; readonly command: string }
  | { readonly kind: "killed" };

const EVERY_MS = 8000;

/**
 * One run of the driver over a world: the real decisions, with effects that are done at once.
 * @param between whatever happens between two steps; it may throw {@link Killed}
 */
export async function drive(world: World, wanted: Wanted, between: () => Promise<void>): Promise<RunEnd> {
  const controller = new AbortController();
  world.interrupt = () => {
    controller.abort(new Interruption("interrupted"));
  };
  const tick = async (): Promise<void> => {
    await between();
    controller.signal.throwIfAborted();
    world.watch();
  };
  const pause = async (ms: number): Promise<void> => {
    world.cluster.advance(ms);
    await tick();
  };
  const group = new GroupDriver(world, tick, pause);
  let held: Hold | undefined;
  let failed: string | undefined;
  /** A hold that was seen keeps what has not begun, and so does a failed gate; what is out may be finished. */
  const mayBegin = (name: string, what: string): void => {
    const isOut =
      rollFacts(readRuns(world.events), world.deployed).out.includes(name) ||
      world.out.has(name) ||
      inFlightOf(world.spec, world.deployed).some((each) => each.group === name);
    if (held && !isOut) throw new Violation(`${name} is begun (${what}) while the roll is held`);
    if (failed !== undefined && failed !== name && !isOut)
      throw new Violation(`${name} is begun (${what}) after the gate of ${failed} was not passed`);
  };
  const deps: RollDeps = {
    look: async () => {
      await tick();
      held = world.hold;
      const { spec, deployed, hold, events } = world;
      return { spec, deployed, hold, events, leaders: leadersOf(world) };
    },
    edit: async (name, change) => {
      await tick();
      mayBegin(name, "set-image");
      world.edit(name, change);
      world.story.push(`${name}: image ${change.image ?? ""} in the spec`);
      return world.spec;
    },
    downgrade: () => Promise.resolve(undefined),
    deploy: async (name) => {
      mayBegin(name, "roll");
      try {
        return await group.deploy(name);
      } catch (error) {
        if (error instanceof GateFailure) failed = name;
        throw error;
      }
    },
    endDrain: () => Promise.resolve(undefined),
    isGateFailure: (error) => error instanceof GateFailure,
    hold: async (reason) => {
      await tick();
      world.hold = { kind: "pause", since: new Date(world.now).toISOString(), by: "the run", reason };
      world.log({ event: "held" });
    },
    onCondition: () => undefined,
    say: () => undefined,
    clock: { now: () => world.now, pause },
    signal: controller.signal,
  };
  world.log({ event: "run-started" });
  try {
    const [one = ""] = wanted.groups;
    // As `rollout deploy GROUP`: what the spec says of it, and nothing around it.
    const isOne = wanted.image === undefined && wanted.groups.length === 1;
    const end: RollEnd = isOne
      ? { kind: "done", groups: [{ group: one, ...(await group.deploy(one)) }] }
      : await rollGroups(deps, wanted);
    world.log({ event: "run-ended", result: end.kind === "done" ? "ok" : "failed" });
    return end;
  } catch (error) {
    if (error instanceof Killed) return { kind: "killed" };
    if (!(error instanceof UserError)) throw error;
    world.log({ event: "run-ended", result: error instanceof Interruption ? "interrupted" : "failed" });
    if (error instanceof Interruption) return { kind: "killed" };
    return { kind: "broken", reason: error.message, command: wanted.command };
  }
}

/** The group whose Consul server leads, and the one whose Nomad server does. */
const leadersOf = ({ cluster }: World): string[] =>
  [cluster.consul.raft.leader, cluster.nomad.servers.raft.leader].flatMap((peer) =>
    peer ? [withoutRegion(peer.name).replace(/-\d+$/, "")] : [],
  );

/** The roll of one group, as `rollout deploy GROUP` does it. */
class GroupDriver {
  constructor(
    private readonly world: World,
    private readonly tick: () => Promise<void>,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  async deploy(name: string): Promise<GroupResult> {
    const { world } = this;
    const { spec } = world;
    if (nextInGroup(spec, world.deployed, name).kind === "done") return { result: "nothing" };
    world.log({ event: "group-started", group: name, to: findGroup(spec, name).image });
    try {
      for (let rounds = 0; rounds < 12; rounds++) {
        await this.tick();
        const next = nextInGroup(spec, world.deployed, name);
        if (next.kind === "blocked") throw refusal(next.reasons, `${name} is not rolled`);
        if (next.kind === "done") {
          world.log({ event: "group-ended", group: name, result: "ok" });
          world.story.push(`${name} is whole`);
          return { result: "rolled", revision: 1, seconds: 0, steps: [] };
        }
        if (next.kind === "roll") await this.#roll(name, spec);
        else {
          const group = withNumbers(findGroup(spec, name), world.state.group(name));
          await this.#untilReady(name, spec, hostNames(group));
          await this.#record(name, spec);
        }
      }
      throw new Violation(`${name} is never done`);
    } catch (error) {
      const result = error instanceof Interruption ? "interrupted" : "failed";
      if (error instanceof UserError)
        world.log({ event: "group-ended", group: name, result, message: error.message });
      throw error;
    }
  }

  async #step(group: string, step: Step): Promise<void> {
    this.world.log({ event: "step-started", group, step });
    await this.tick();
  }

  async #roll(name: string, spec: Spec): Promise<void> {
    const { world } = this;
    const batch = this.#batch(name, spec);
    const { updated, updating, laterHosts, numbers } = batch;
    const current = world.state.group(name);
    const group = inBatch(world, name, batch);
    refuseInSurge(group, current, gateSettingsOf(group.pool, spec).maxSurge);
    if (updated.length > 0 && updating.length > 0 && !(numbers && deployedHash(current) === group.hash)) {
      const standing = numbers && current.hosts.map(({ number }) => number);
      const all = hostNames(withNumbers(group, current, standing));
      await this.#untilReady(
        name,
        spec,
        all,
        all.filter((host) => !updated.includes(host)),
      );
    }
    await this.#step(name, "preflight");
    const cluster = [...world.deployed.groups.values()].map(({ name, pool, role, hosts }) => ({
      name,
      pool,
      role,
      hosts: hosts.map((host) => host.name),
    }));
    const { workload, drain } = gateSettingsOf(group.pool, spec);
    const hosts = cluster.find((each) => each.name === name)?.hosts ?? [];
    const { role, hash, retires } = group;
    const servers = serversOf(spec, role);
    const stay = hostNames(group);
    const order = { group: name, role, servers, hash, stay, laterHosts, hosts, workload, retires, drain };
    const inFlight = inFlightOf(spec, world.deployed);
    const observation = world.observe(name);
    const surge = { isSurged: isSurged(current) };
    const input = { group: name, servers, stay, laterHosts, workload, cluster, inFlight, ...surge };
    // Where nothing has to leave any more, nothing speaks against what is left to do.
    if (nextLeave(observation, order).kind !== "done") refuseUnsafe(preflight(observation, input));
    await this.#step(name, "plan");
    let plan = this.#plan(name, spec, "closed");
    if (!onlyAdds(group, current, laterHosts)) {
      await this.#step(name, "leave");
      world.spring("before it goes", name);
      const rest = { laterHosts: plan.laterHosts };
      await this.#leave({ ...order, ...rest }, { ...input, ...rest, inFlight: [] });
    }
    await this.#step(name, "apply");
    // The state has moved: what was judged is no longer what would be done.
    if (plan.base !== world.state.serial) plan = this.#plan(name, spec, "closed");
    await world.apply(plan, judge(plan, world.state), this.tick);
  }

  /** As the driver sees it: with several servers the leader goes last, and of a surge that goes back first what has left. */
  #batch(name: string, spec: Spec): Batch {
    const { world } = this;
    const current = world.state.group(name);
    const group = withNumbers(findGroup(spec, name), current);
    const hosts = current.hosts.map((host) => host.name);
    const seen = world.observe(name);
    const goesBack = isSurged(current) && current.hosts.every(({ hash }) => hash !== group.hash);
    const ofClients = goesBack ? atWork(seen, hosts) : undefined;
    const order = group.role === "client" ? ofClients : serverOrder(seen, group.role, hosts);
    const pace = { ...gateSettingsOf(group.pool, spec), platform: "local" as const };
    return nextBatch(group, order ? { ...current, order } : current, pace);
  }

  /** The machines that wait are those of the state that it is made from. */
  #plan(name: string, spec: Spec, gate: "open" | "closed"): Plan {
    const { deployed } = this.world;
    const proposal = { view: name, target: name, spec, deployed, changes: [], declared: [], wiring: [] };
    const [refusal] = [...oneGroup(proposal), ...groupInFlight(proposal)];
    if (refusal) throw new UserError(`${refusal.message}; ${refusal.remedy}`);
    const plan = this.world.state.plan(spec, name, gate, this.#batch(name, spec));
    if (judge(plan, this.world.state).accepted) return plan;
    throw new UserError(`the plan of ${name} is rejected; see rollout check`);
  }

  async #leave(order: LeaveOrder, input: PreflightInput): Promise<void> {
    const { world } = this;
    const begun = world.now;
    let running: { readonly name: string; readonly since: number } | undefined;
    let isChecked = false;
    let agentsOf: readonly string[] = [];
    for (;;) {
      await this.tick();
      const observation = world.observe(order.group, agentsOf);
      const next = nextLeave(observation, order);
      agentsOf = [];
      if (next.kind === "done") return;
      if (!isChecked) {
        const found = preflight(observation, input);
        if (isWorthWaiting(found, world.now - begun)) {
          await this.pause(EVERY_MS);
          continue;
        }
        refuseUnsafe(found);
        isChecked = true;
      }
      if (next.kind === "look") {
        ({ agentsOf } = next);
        continue;
      }
      if (next.kind === "blocked") {
        const [finding] = next.findings;
        throw new UserError(
          `${order.group} cannot leave: ${finding?.message ?? ""}; ${finding?.remedy ?? ""}`,
        );
      }
      const { step } = next;
      if (running?.name !== step.name) running = { name: step.name, since: world.now };
      if (world.now - running.since > step.deadlineSeconds * 1000)
        throw new UserError(`out of time: ${step.message}; run it again`);
      world.act(step, order.group);
      await this.pause(EVERY_MS);
    }
  }

  async #untilReady(
    name: string,
    spec: Spec,
    hosts: readonly string[],
    laterHosts: readonly string[] = [],
  ): Promise<void> {
    const { world } = this;
    const group = findGroup(spec, name);
    const { workload, ready } = gateSettingsOf(group.pool, spec);
    const standing = [...world.deployed.groups.values()]
      .filter((each) => !isNew(each))
      .map((each) => ({ name: each.name, images: imagesOf(each.revisions) }));
    const time = { timeoutSeconds: ready.timeoutSeconds, bakeSeconds: bakeSecondsOf(group, spec, standing) };
    const expected = {
      cluster: spec.name,
      group: name,
      pool: group.pool,
      role: group.role,
      servers: serversOf(spec, group.role),
      image: group.image,
      hash: group.hash,
      hosts: hosts.filter((host) => !laterHosts.includes(host)),
      laterHosts,
      workload,
      hasLoadBalancer: false,
      hasMachines: false,
      checks: [],
    };
    await this.#step(name, "gate");
    const begun = world.now;
    for (let since: number | undefined; ;) {
      await this.tick();
      const observation = world.observe(name, expected.hosts);
      const reading = readiness(observation, expected);
      const bake = held(reading, since, time.bakeSeconds);
      since = bake.since;
      if (bake.done) {
        for (const { id } of deadRecords(observation, expected)) {
          const record = world.cluster.nomad.nodes.records.get(id);
          if (record) world.cluster.nomad.nodes.purge(record);
        }
        break;
      }
      if (isTimedOut(reading, begun, time))
        throw new GateFailure(describeTimeout(reading, time.timeoutSeconds));
      await this.pause(EVERY_MS);
    }
  }

  async #record(name: string, spec: Spec): Promise<void> {
    const { world } = this;
    await this.#step(name, "record");
    const plan = this.#plan(name, spec, "open");
    const more = plan.changes.filter(({ kind }) => kind !== "ready" && kind !== "revision");
    if (more.length > 0) throw new UserError(`something of ${name} has changed meanwhile; run it again`);
    await world.apply(plan, judge(plan, world.state), this.tick);
  }
}

const inBatch = ({ spec, state }: World, name: string, { numbers }: Batch): Group =>
  withNumbers(findGroup(spec, name), state.group(name), numbers);

function refuseUnsafe({ refusals: [refusal] }: Preflight): void {
  if (refusal) throw new UserError(`${refusal.subject} ${refusal.message}; ${refusal.remedy}`);
}
