import { isDeepStrictEqual } from "node:util";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readHold } from "../clients/run-store/hold.js";
import type { Batch } from "../rollout/roll/next-batch.js";
import { refusal } from "../rollout/roll/may-roll.js";
import { isLeaveKept, isSurged, refuseInSurge } from "../rollout/edit/take-back.js";
import { nextInGroup } from "../rollout/roll/next-step.js";
import { parseAddress } from "../cluster/address.js";
import { isForReview } from "../cluster/deployed.js";
import { isMadeAfterOthers } from "../cluster/completed.js";
import { findGroup } from "../cluster/find-group.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { type Group, hostNames } from "../cluster/groups.js";
import { onlyAdds, withNumbers } from "../cluster/numbers.js";
import { deployedHash, inFlightOf } from "../cluster/pending.js";
import type { Gate } from "../cluster/hooks/variables.js";
import { UserError } from "../cluster/user-error.js";
import { noteBegun, tellRoll } from "../hooks/mark.js";
import { BAKED, bakedBy } from "../hooks/ready.js";
import { Interruption } from "../cluster/interruption.js";
import { BEFORE_IT_BEGINS, refuseHeld } from "../program/held.js";
import { loadProgram, type Program } from "../program/program.js";
import { refuseNewMachine } from "../program/new-machine.js";
import { readDeployed } from "../program/read-deployed.js";
import { refuseStrays } from "../program/strays.js";
import { untriedTerraform } from "../program/untried-terraform.js";
import { agentsOf, type GroupAgents } from "./group-agents.js";
import { DeadMachines } from "./dead-machines.js";
import { applyAtOnce, applyFailure, applyView, isStale } from "./apply-view.js";
import type { GroupResult } from "./deploy-result.js";
import { GroupSteps } from "./group-steps.js";
import { describeWanted, isSame } from "./wanted-group.js";
import { batchOf, inBatch, type ViewPlan, ViewPlanner } from "./plan-view.js";
import { logIfPossible, type Run } from "./run.js";

/** A group that is not whole after its machines were made anew: it stays in flight. */
export class GateFailure extends UserError {
  override readonly name = "GateFailure";
}

/**
 * Rolls one group, from wherever it is: what was done before is not done again. Preflight, plan, guard, question, leave, the
 * apply of that very plan with a closed gate, the gate, and a small second apply that records. Of several servers, and where
 * the pool has `maxUnavailable` or `maxSurge`, all up to the apply is done batch by batch, and what is new has to be whole
 * before more goes.
 * @throws GateFailure when the group does not become whole; UserError when it may not be rolled, was not confirmed, or
 * something failed; each says what to do next
 */
export const deployGroup = async (run: Run, group: string): Promise<GroupResult> =>
  new GroupRoll(run, group).go();

/** How often a phase may come up in one run, that of each batch by itself: the state may move under it once. */
const MOST = 2;

class GroupRoll {
  private readonly steps: GroupSteps;
  private readonly planner: ViewPlanner;
  private readonly dead: DeadMachines;
  private asked: GroupAgents | undefined;
  /** Of its machines, as it was seen last. */
  private order: readonly string[] | undefined;
  private isConfirmed = false;
  /** Whether new machines stand beside the old ones, all of which are at work. */
  private isSurged = false;
  /** Whether its machines were made anew or proven, and not its volumes changed alone. */
  private isRolled = false;
  /** Whether anything was done that leaves the group in flight. */
  private hasBegun = false;
  /** Whether its volumes are being changed in place, or have been. */
  private hasChanged = false;
  /** Its revision, once that is recorded: what is left is a change in place. */
  private recorded: number | undefined;

  constructor(
    private readonly run: Run,
    private readonly name: string,
  ) {
    this.steps = new GroupSteps(run, name);
    this.planner = new ViewPlanner(run, name, () => this.load());
    this.dead = new DeadMachines(
      name,
      (group, program) => this.agentsIn(".", group, program),
      this.steps.say,
    );
  }

  async go(): Promise<GroupResult> {
    const { stop } = this.run;
    const onStop = (): void => {
      this.steps.say(`stopping after this step; ${this.howToFinish()}`, "stopping");
    };
    stop.addEventListener("abort", onStop, { once: true });
    let isOver = false;
    try {
      const result = await this.phases();
      isOver = true;
      return result;
    } catch (error) {
      const isStopped = stop.aborted;
      const message = error instanceof UserError ? error.message : String(error);
      await logIfPossible(this.run, {
        event: "group-ended",
        group: this.name,
        result: isStopped ? "interrupted" : "failed",
        seconds: this.steps.seconds(),
        message,
      });
      if (isStopped)
        throw new Interruption(
          this.hasBegun || this.hasChanged ? `stopped: ${this.howToFinish()}` : "stopped: nothing was done",
        );
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
      if (this.hasBegun || isOver) await this.undoSteps();
      rmSync(join(this.run.folder, `plan-${this.name}`), { force: true });
    }
  }

  /** What is owed is this run's to undo only as long as it holds the cluster's lock: another may be at the group by now. */
  private async undoSteps(): Promise<void> {
    const lost = await this.run.prove().catch((error: unknown) => error);
    if (lost === undefined) await this.asked?.undo();
  }

  private async phases(): Promise<GroupResult> {
    const done = new Map<string, number>();
    let first: Group | undefined;
    for (;;) {
      this.run.stop.throwIfAborted();
      this.order = undefined;
      let program = await this.load();
      const { spec, deployed } = program;
      const next = nextInGroup(spec, deployed, this.name);
      // One that is in flight may itself wait for a machine that died here: its repair comes first.
      const isBehind = next.kind === "blocked" && next.reasons.every(({ id }) => id === "in-flight");
      if (!first && (isBehind || next.kind !== "blocked") && (await this.dead.find(program, next.kind)))
        continue;
      const isRepaired =
        first && isBehind && !inFlightOf(spec, deployed).some((each) => each.group === this.name);
      if (isRepaired) return this.result(program, true);
      if (next.kind === "blocked") throw refusal(next.reasons, `${this.name} is not rolled`);
      if (next.kind === "done") return this.result(program, first !== undefined);
      if (next.kind === "roll") program = await this.inOrder(program);
      const batch = batchOf(program, this.name);
      const phase = [next.kind, ...(batch.numbers ?? []), ...batch.laterHosts].join(" ");
      const before = done.get(phase) ?? 0;
      if (before >= MOST) throw this.noEnd(program);
      done.set(phase, before + 1);
      const group = inBatch(program, this.name, batch);
      const isInPlace = next.kind === "in-place";
      if (!this.isRolled && !isInPlace) await this.start(group, program);
      first ??= group;
      if (!isSame(first, group)) throw this.edited(first, group);
      this.isRolled ||= !isInPlace;
      if (isInPlace && this.isRolled) await this.logRolled(program);
      if (isInPlace) await this.changeInPlace(group, program);
      else await (next.kind === "roll" ? this.roll(group, program, batch) : this.gate(group, program));
    }
  }

  private async load(): Promise<Program> {
    const program = await loadProgram(this.run.env);
    if (isForReview(program.deployed.origin)) {
      throw new UserError("ROLLOUT_DEPLOYED is set: a group is rolled by the state alone; unset it", 2);
    }
    return this.ordered(this.dead.mark(program));
  }

  /**
   * With several servers of a group the leader goes last, and first one that is out already. So do clients of a surge that goes
   * back by a new generation: which of the old ones have left no state tells, and what came beside them has their work.
   */
  private async inOrder(program: Program): Promise<Program> {
    const group = findGroup(program.spec, this.name);
    const current = program.deployed.groups.get(this.name);
    const hosts = current?.hosts.map(({ name }) => name) ?? [];
    const goesBack =
      current !== undefined && isSurged(current) && current.hosts.every(({ hash }) => hash !== group.hash);
    if (group.role === "client" ? !goesBack : hosts.length < 2) return program;
    this.order = await this.agentsIn(".", group, program)?.order(hosts);
    return this.ordered(program);
  }

  private ordered(program: Program): Program {
    const current = program.deployed.groups.get(this.name);
    if (!current || !this.order) return program;
    const groups = new Map([...program.deployed.groups, [this.name, { ...current, order: this.order }]]);
    return { ...program, deployed: { ...program.deployed, groups } };
  }

  private start(group: Group, { deployed, cause, causes }: Program): Promise<void> {
    const last = deployed.groups.get(group.name)?.revisions.at(-1);
    const { ids: despite, reason } = this.run.despite ?? {};
    return this.run.log({
      event: "group-started",
      group: group.name,
      ...(last ? { from: last.image, fromRevision: last.number } : {}),
      to: group.image,
      hash: group.hash,
      cause: causes?.get(group.name) ?? cause,
      ...(despite ? { despite: [...despite], reason } : {}),
    });
  }

  private async result(program: Program, hasRolled: boolean): Promise<GroupResult> {
    if (!hasRolled) return { result: "nothing" };
    const seconds = this.steps.seconds();
    // It is no roll: the log's history and what is owed of earlier rolls go on from the last one.
    if (!this.isRolled) return { result: "applied", seconds };
    const revision = await this.logRolled(program);
    const steps = [...this.steps.done].map(([step, seconds]) => ({ step, seconds }));
    return { result: "rolled", revision, seconds, steps };
  }

  /** Once: its roll has ended well, whatever becomes of a change in place after it. */
  private async logRolled({ deployed }: Program): Promise<number> {
    if (this.recorded !== undefined) return this.recorded;
    const revision = deployed.groups.get(this.name)?.revisions.at(-1)?.number ?? 1;
    const seconds = this.steps.seconds();
    await this.run.log({ event: "group-ended", group: this.name, result: "ok", seconds, revision });
    this.recorded = revision;
    return revision;
  }

  /** The work leaves and the machines are made anew: all of them, or those of the next batch. */
  private async roll(group: Group, program: Program, batch: Batch): Promise<void> {
    const { updated, updating, numbers } = batch;
    const current = program.deployed.groups.get(this.name);
    const isAsDeployed = current !== undefined && deployedHash(current) === group.hash;
    this.isSurged = current !== undefined && isSurged(current) && !isAsDeployed;
    if (current) refuseInSurge(group, current, gateSettingsOf(group.pool, program.spec).maxSurge);
    // What earlier batches made is whole, or no more go: else a bad image would take the group, a batch at a time.
    // Where a surge goes back the old ones are proven, but not one that was missing and is made anew.
    const isProven = numbers && isAsDeployed && !isMadeAfterOthers(current, group.hash);
    if (updated.length > 0 && updating.length > 0 && !isProven) {
      const message = `until what is new is whole, before the next machines go: ${updated.join(", ")}`;
      // Of a surge those that are about to go stand, too.
      const standing = numbers && current?.hosts.map(({ number }) => number);
      const all = withNumbers(group, current, standing);
      const rest = hostNames(all).filter((host) => !updated.includes(host));
      await this.untilReady(all, program, message, rest);
    }
    await this.steps.during("preflight", "may it be rolled now?", async () => {
      const warnings = [
        // Said once a roll, before anybody is asked, and not again with each batch.
        ...(this.isConfirmed ? [] : await untriedTerraform(this.run.env)),
        ...(await refuseStrays(program, group.name)),
        ...(await refuseNewMachine(program, group, this.run.store)),
      ];
      for (const line of warnings) this.steps.say(line);
      await this.agents(group, program, ".")?.preflight(batch);
    });
    let plan = await this.steps.during("plan", "what would be done, and whether the guard accepts it", () =>
      this.planner.plan("closed", program),
    );
    if (!this.isConfirmed) {
      const { role } = group;
      const { summary, batch, result } = plan;
      // Servers that go for good go one after another, too.
      const last = hostNames(withNumbers(findGroup(program.spec, this.name), current));
      const rest = role === "client" ? [] : hostNames(group).filter((host) => !last.includes(host));
      const laterHosts = [...new Set([...batch.laterHosts, ...rest])];
      const more = { laterHosts, surges: batch.numbers !== undefined };
      await this.run.confirm({ group: this.name, role, summary, tool: result.plan.tool, ...more });
      this.isConfirmed = true;
    }
    // It may have been said since: while it was planned, and while somebody was asked.
    if (!this.dead.wereSeen) await this.refuseIfHeld(program);
    await this.leave(plan);
    await this.steps.during("apply", "its machines are made anew, with a closed gate", async () => {
      for (let tries = 0; ; tries++) {
        if (tries > 0 || (await this.hasMoved(plan))) plan = await this.planAgain(plan, "closed");
        await this.dead.refuseAlive(group, plan.program, this.howToFinish());
        const applied = await applyView(this.run, plan, { steps: this.steps, step: "apply" });
        if (applied.exitCode === 0) return;
        if (tries >= MOST || !isStale(applied)) throw applyFailure(this.run, applied, this.howToFinish());
      }
    });
  }

  /** One apply, with an open gate, of a plan that changes data volumes of the group and nothing else. */
  private async changeInPlace(group: Group, program: Program): Promise<void> {
    const plan = await this.steps.during("plan", "what of its data volumes is changed in place", () =>
      this.planner.plan("open", program),
    );
    const more = plan.summary.changes
      .filter(({ address, action }) => parseAddress(address)?.kind !== "data" || action !== "update")
      .map(({ address }) => address);
    if (more.length > 0)
      throw new UserError(
        `more than data volumes of ${this.name} would change in place: ${more.join(", ")}; see: rollout plan ${this.name}`,
      );
    const { summary, result } = plan;
    await this.run.confirm({
      ...{ group: this.name, role: group.role, summary, tool: result.plan.tool },
      ...{ laterHosts: [], isInPlace: true },
    });
    await this.refuseIfHeld(plan.program);
    const goOn = `its machines are as desired; go on with: rollout deploy ${this.name}`;
    this.hasChanged = true;
    await this.steps.during("apply", "its data volumes are changed; no machine is, and no work leaves", () =>
      applyAtOnce(this.run, plan, this.steps, goOn),
    );
    const seconds = this.steps.seconds();
    await this.run.log({ event: "group-ended", group: this.name, result: "ok", seconds });
  }

  private async refuseIfHeld({ spec }: Program): Promise<void> {
    const { store, clock } = this.run;
    if (spec.rollout.windows || (await readHold(store, clock.now())))
      await refuseHeld(this.run, this.name, BEFORE_IT_BEGINS);
  }

  private async leave(plan: ViewPlan): Promise<void> {
    const { batch, folder, program } = plan;
    const group = inBatch(program, this.name, batch);
    const current = program.deployed.groups.get(this.name);
    // What is out already is mended all the same.
    const isFewer = current?.leave === true && current.hosts.length > hostNames(group).length;
    if (batch.updating.length > 0 || isFewer) this.run.approved?.proveLeave(this.name, program.spec);
    const begin = (): void => {
      this.hasBegun = true;
      noteBegun(folder, group);
    };
    if (current && onlyAdds(group, current, batch.laterHosts)) {
      begin();
      this.isSurged = isLeaveKept(current) && deployedHash(current) !== group.hash;
      this.steps.say("new machines come first: all that stand go on, and none has to leave yet");
      return;
    }
    await this.steps.during("leave", `its work leaves${describeBatch(batch)}`, async () => {
      await this.dead.refuseAlive(group, program, this.howToFinish());
      begin();
      this.isSurged = false;
      if (takesMachines(plan, this.name)) await this.agents(group, program, folder)?.leave(batch.laterHosts);
      else this.steps.say("all of its machines are there, so none has to leave");
    });
  }

  private async untilReady(
    group: Group,
    program: Program,
    message: string,
    laterHosts: readonly string[],
  ): Promise<void> {
    this.hasBegun = true;
    const agents = this.agents(group, program, ".");
    try {
      await this.steps.during("gate", message, async () => {
        await agents?.ready(laterHosts);
      });
    } catch (error) {
      if (error instanceof UserError && !this.run.stop.aborted)
        throw new GateFailure(`${error.message}\n${this.howToFinish()}`);
      throw error;
    }
    // Nor does it count as a gate that failed, which would be taken back.
    await agents?.afterReady();
  }

  /** The machines are there: the group is proven whole, and that is recorded. */
  private async gate(group: Group, program: Program): Promise<void> {
    await this.untilReady(group, program, "until it is whole again, and has been for its bake time", []);
    await this.steps.during("record", "its revision is written, with an open gate", async () => {
      const plan = await this.planner.plan("open");
      const now = inBatch(plan.program, this.name, plan.batch);
      if (!isSame(group, now)) throw this.edited(group, now);
      const more = plan.summary.changes
        .filter(({ address }) => !isRecord(address))
        .map(({ address }) => address);
      if (more.length > 0) {
        throw new UserError(
          `something of ${this.name} has changed meanwhile, which is no longer a matter of recording: ${more.join(", ")}; ${this.howToFinish()}`,
        );
      }
      const { maxUnavailable, maxSurge } = gateSettingsOf(group.pool, program.spec);
      const atOnce = group.role === "client" || group.hosts > 1 ? maxUnavailable : Infinity;
      const env = {
        [BAKED]: bakedBy(group),
        ...tellRoll(this.run.command, { maxUnavailable: atOnce, maxSurge }),
      };
      const applied = await applyView(this.run, plan, { steps: this.steps, step: "record", env });
      if (applied.exitCode === 0) return;
      const isGate = applied.failed.some((address) => parseAddress(address)?.kind === "ready");
      const failure = applyFailure(this.run, applied, this.howToFinish());
      throw isGate ? new GateFailure(failure.message) : failure;
    });
  }

  private agents(group: Group, program: Program, folder: string): GroupAgents | undefined {
    const agents = this.agentsIn(folder, group, program);
    if (!agents) this.steps.say("this cluster on platform local has no agents: nobody is asked");
    return agents;
  }

  private agentsIn(folder: string, group: Group, program: Program): GroupAgents | undefined {
    const { say, waits: onCondition } = this.steps;
    this.asked = agentsOf(this.run, program, group, { say, onCondition, folder });
    return this.asked;
  }

  private async hasMoved({ program }: ViewPlan): Promise<boolean> {
    const { origin } = await readDeployed(program, this.run.env);
    return !isDeepStrictEqual(origin, program.deployed.origin);
  }

  /** What was confirmed may be done, whoever has written the state meanwhile; anything else may not. */
  private async planAgain(before: ViewPlan, gate: Gate): Promise<ViewPlan> {
    this.steps.say("the state has moved since the plan was made: it is planned and checked again");
    const plan = await this.planner.plan(gate);
    const [then, now] = [before, plan].map(({ program, batch }) => inBatch(program, this.name, batch));
    if (isDeepStrictEqual(plan.summary, before.summary) && then && now && isSame(then, now)) return plan;
    throw new UserError(
      `the state has moved, and the plan of ${this.name} is another than was confirmed; ${this.howToFinish()}`,
    );
  }

  /** What was asked for and confirmed is what is rolled, and nothing else. */
  private edited(before: Group, now: Group): UserError {
    return new UserError(
      `the spec was edited during the run: ${this.name} was to be ${describeWanted(before)} and is to be ${describeWanted(now)}; ${this.howToFinish()}`,
    );
  }

  private noEnd({ spec, deployed }: Program): UserError {
    const reasons = inFlightOf(spec, deployed).flatMap(({ group, reasons }) =>
      group === this.name ? reasons : [],
    );
    const why = reasons.length > 0 ? reasons.join(", ") : "it is still pending";
    return new UserError(`${this.name} is not as desired after its roll: ${why}; see: rollout status`);
  }

  private howToFinish(): string {
    if (this.hasChanged)
      return `the data volumes of ${this.name} may be changed; go on with: rollout deploy ${this.name}`;
    if (!this.hasBegun) return "nothing is done yet";
    if (this.recorded !== undefined)
      return `${this.name} is rolled, and its data volumes are to be changed: rollout deploy ${this.name}`;
    const back = this.isSurged ? `, or go back, which replaces none: rollout undo ${this.name}` : "";
    return `${this.name} stays in flight, finish it with: rollout deploy ${this.name}${back}`;
  }
}

/**
 * Whether a plan takes machines of a group or finds some missing. Where it does neither an earlier run has made them all:
 * who is asked whether they are to leave might not know them yet, and take one for its predecessor.
 */
const takesMachines = ({ summary }: ViewPlan, name: string): boolean =>
  summary.groups.some(
    (group) =>
      group.name === name && group.machines.replaced + group.machines.destroyed + group.machines.created > 0,
  );

/** `: broker-0-0, while broker-0-1 waits` */
function describeBatch({ updating, laterHosts }: Batch): string {
  if (laterHosts.length === 0) return "";
  const who = updating.length > 0 ? updating.join(", ") : "what is out already";
  return `: ${who}, while ${laterHosts.join(", ")} ${laterHosts.length === 1 ? "waits" : "wait"}`;
}

/** Whether it is of those that a recording touches, or what an earlier version left, which goes in any plan. */
function isRecord(address: string): boolean {
  const kind = parseAddress(address)?.kind;
  return kind === "ready" || kind === "revision" || kind === "lb-drained";
}
