import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { printedBy } from "../clients/terraform/plan.js";
import { jsonOf } from "../clients/terraform/terraform.js";
import { type Batch, nextBatch } from "../rollout/roll/next-batch.js";
import { type MemberKind, parseAddress } from "../cluster/address.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { findGroup } from "../cluster/find-group.js";
import { type Group, groupsOf } from "../cluster/groups.js";
import { withNumbers } from "../cluster/numbers.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { GATE_VARIABLE, type Gate } from "../cluster/hooks/variables.js";
import { UserError } from "../cluster/user-error.js";
import type { CheckResult } from "../program/check-result.js";
import { isAsRecorded } from "../program/as-recorded.js";
import { judgeMadePlan, type JudgedPlan } from "../program/judged-plan.js";
import { loadProgram, type Program } from "../program/program.js";
import { headlineOf, violationsOf } from "../program/result-of.js";
import { unsteady, writeViews } from "../program/run-program.js";
import { terraformEnvironment } from "../program/terraform-environment.js";
import { refuseDepartures } from "./approved.js";
import type { Run } from "./run.js";
import { describeWanted, isSame } from "./wanted-group.js";

/** A plan of a view that the guard has accepted: of the view `cluster`, of a whole group, or of its next batch. */
export interface ViewPlan extends JudgedPlan {
  /** What it was made from. */
  readonly program: Program;
  readonly file: string;
  /** The folder of the stack, where it is applied. */
  readonly folder: string;
  readonly batch: Batch;
}

/** The guard has rejected a plan. Its message says so and why; the result has all that was compared. */
export class PlanRejected extends UserError {
  override readonly name = "PlanRejected";

  constructor(readonly result: CheckResult) {
    super([headlineOf(result), ...violationsOf(result)].join("\n"));
  }
}

const QUIET = ["-input=false", "-no-color"];

/**
 * Makes the plans of one view in one run, and has them judged. What is asked of the cloud for a group grows with the group
 * and not with the cluster: only the group is looked at anew.
 */
export class ViewPlanner {
  /** Of the folder as it was initialized last; undefined before. */
  private initialized: string | undefined;

  constructor(
    private readonly run: Pick<Run, "env" | "folder" | "stop" | "approved" | "ownResources">,
    /** A group's name, or `cluster`. */
    private readonly view: string,
    private readonly load = (): Promise<Program> => loadProgram(run.env),
  ) {}

  /**
   * @param gate of the group; a view without one has none
   * @param read what was read a moment ago; default: it is read
   * @throws UserError when Terraform fails, PlanRejected when the guard rejects the plan
   */
  async plan(gate?: Gate, read?: Program): Promise<ViewPlan> {
    const { run, view } = this;
    const { env, stop } = run;
    const given = read ?? (await this.load());
    const folder = resolve(this.outdir, given.spec.name, view);
    const options = { cwd: folder, env: terraformEnvironment(env), stop };
    let { program, batch } = await this.synthOrLeaveFolder(given, options);
    await this.initialize(options);
    const targets = targetsOf(program, view);
    // Without a target it would be the whole cluster.
    if (targets.length > 0 && program.spec.platform === "aws" && !(await isAsRecorded(program, view))) {
      await printedBy(["apply", "-refresh-only", "-auto-approve", ...QUIET, ...targets], options);
      ({ program, batch } = await this.synth(await this.load()));
    }
    const ofGroup = gate === undefined ? [] : ["-refresh=false", `-var=${GATE_VARIABLE}=${gate}`];
    const dead = (program.deployed.groups.get(view)?.dead ?? []).map((address) => `-replace=${address}`);
    const { file, json } = await this.saved([...ofGroup, ...dead], options);
    const approved = run.approved && {
      intent: run.approved.intent,
      hasBegun: await run.approved.hasBegun(view),
    };
    const judged = judgeMadePlan({ json, file, view, inBatches: gate !== undefined, approved }, program);
    if (judged.result.verdict === "rejected") throw new PlanRejected(judged.result);
    refuseDepartures(judged.departures ?? [], approved?.hasBegun === true ? view : undefined);
    return { program, file, folder, batch, ...judged };
  }

  /**
   * The plan that destroys what a view has. No rule is about that plan: whoever asks for it has made sure that it is wanted.
   * @param targets addresses that go, with all that depends on them; none: everything goes
   * @throws UserError when Terraform fails, as where something is still protected
   */
  async planDestroy(read: Program, targets: readonly string[] = []): Promise<ViewPlan> {
    const { env, stop } = this.run;
    const folder = resolve(this.outdir, read.spec.name, this.view);
    const options = { cwd: folder, env: terraformEnvironment(env), stop };
    const { program, batch } = await this.synth(read);
    await this.initialize(options);
    const { file, json } = await this.saved(
      ["-destroy", ...targets.map((each) => `-target=${each}`)],
      options,
    );
    return { program, file, folder, batch, ...judgeMadePlan({ json, file, view: this.view }, program) };
  }

  /** @returns where a plan was saved, and what `terraform show -json` prints of it */
  private async saved(args: readonly string[], options: Parameters<ViewPlanner["initialize"]>[0]) {
    const file = join(this.run.folder, `plan-${this.view}`);
    await printedBy(["plan", ...QUIET, ...args, `-out=${file}`], options);
    return { file, json: jsonOf(await printedBy(["show", "-json", file], options)) };
  }

  /** Writes the view and no other; that of a group for its next batch. */
  private async synth(read: Program, isAgain = false): Promise<{ program: Program; batch: Batch }> {
    const batch = batchOf(read, this.view);
    const { ownResources = true } = this.run;
    const { laterHosts, numbers } = batch;
    const program = {
      ...read,
      views: [this.view],
      laterHosts,
      ...(numbers ? { numbers } : {}),
      ownResources,
    };
    const { env, stop } = this.run;
    const edited = await writeViews(program, env, { outdir: this.outdir, stop });
    if (!edited) return { program, batch };
    if (isAgain) throw unsteady();
    const again = await this.load();
    const [before, now] = [read.spec, again.spec].map((spec) =>
      groupsOf(spec).find(({ name }) => name === this.view),
    );
    // What was looked at and confirmed is what is planned; an edit of another group is of no account.
    if (!before || !now) throw unsteady();
    if (!isSame(before, now))
      throw unsteady(`${this.view} is to be ${describeWanted(now)}, and was to be ${describeWanted(before)}`);
    return this.synth(again, true);
  }

  /** What a refusal says to do with a taint is done in the folder of the view, which may never have been there. */
  private async synthOrLeaveFolder(
    read: Program,
    options: Parameters<ViewPlanner["initialize"]>[0],
  ): Promise<{ program: Program; batch: Batch }> {
    try {
      return await this.synth(read);
    } catch (error) {
      const isTainted = [...read.deployed.groups.values()].some(({ tainted }) => tainted.length > 0);
      if (this.run.stop.aborted || !isTainted) throw error;
      const groups = new Map([...read.deployed.groups].map(([name, of]) => [name, { ...of, tainted: [] }]));
      const leaveFolder = async (): Promise<void> => {
        await this.synth({ ...read, deployed: { ...read.deployed, groups } });
        await this.initialize(options);
      };
      // The first refusal is the one that counts.
      await leaveFolder().catch(() => undefined);
      throw error;
    }
  }

  /** Once, and again where the backend or the providers have changed. */
  private async initialize(options: { cwd: string; env: Environment; stop: AbortSignal }): Promise<void> {
    const stack = stackSchema.parse(JSON.parse(readFileSync(join(options.cwd, "cdk.tf.json"), "utf8")));
    const needed = JSON.stringify(stack.terraform);
    if (needed === this.initialized) return;
    await printedBy(["init", ...QUIET, "-reconfigure"], options);
    this.initialized = needed;
  }

  private get outdir(): string {
    return this.run.env["CDKTF_OUTDIR"] ?? "cdktf.out";
  }
}

/** The machines of a group that stands that are replaced next, and those that wait. None of a view that is no group's. */
export function batchOf({ spec, deployed }: ClusterState, name: string): Batch {
  const current = deployed.groups.get(name);
  if (!current) return { updated: [], updating: [], laterHosts: [] };
  const group = withNumbers(findGroup(spec, name), current);
  return nextBatch(group, current, { ...gateSettingsOf(group.pool, spec), platform: spec.platform });
}

/** The group with the numbers that a batch gives its hosts. */
export const inBatch = ({ spec, deployed }: ClusterState, name: string, { numbers }: Batch): Group =>
  withNumbers(findGroup(spec, name), deployed.groups.get(name), numbers);

/** What `terraform init` goes by: the backend, and which providers are wanted. */
const stackSchema = z.object({ terraform: z.unknown() });

/**
 * What of a group is looked at anew. Not its hooks, of which there is nothing to see, nor what waits for them, such as the
 * entries of a load balancer: with each, Terraform looks at all that it waits for, and so at the Consul servers.
 */
const LOOKED_AT: ReadonlySet<MemberKind> = new Set<MemberKind>(["host", "data", "data-attachment"]);

const targetsOf = ({ deployed }: Program, group: string): string[] =>
  [...deployed.addresses].flatMap((address) => {
    const member = parseAddress(address);
    return member?.group === group && LOOKED_AT.has(member.kind) ? [`-target=${address}`] : [];
  });
