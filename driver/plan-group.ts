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
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { GATE_VARIABLE, type Gate } from "../cluster/hooks/variables.js";
import { UserError } from "../cluster/user-error.js";
import { formatCheck } from "../cli/output/check.js";
import { judgeMadePlan, type JudgedPlan } from "../program/judged-plan.js";
import { buildApp, loadProgram, type Program } from "../program/program.js";
import { refusalOf } from "../program/report-failure.js";
import { terraformEnvironment } from "../program/terraform-environment.js";
import type { Run } from "./run.js";

/** A plan of a group's view that the guard has accepted: of the whole group, or of its next batch. */
export interface GroupPlan extends JudgedPlan {
  /** What it was made from. */
  readonly program: Program;
  readonly file: string;
  /** The folder of the stack, where it is applied. */
  readonly folder: string;
  readonly batch: Batch;
}

const QUIET = ["-input=false", "-no-color"];

/**
 * Makes the plans of one group's view in one run, and has them judged. What is asked of the cloud grows with the group and
 * not with the cluster: only the group is looked at anew.
 */
export class GroupPlanner {
  /** Of the folder as it was initialized last; undefined before. */
  private initialized: string | undefined;

  constructor(
    private readonly run: Pick<Run, "env" | "folder" | "stop">,
    private readonly group: string,
  ) {}

  /**
   * @param read what was read a moment ago; default: it is read
   * @throws UserError when Terraform fails or the guard rejects the plan
   */
  async plan(gate: Gate, read?: Program): Promise<GroupPlan> {
    const { run, group } = this;
    const { env, stop } = run;
    let { program, batch } = this.synth(read ?? (await loadProgram(env)));
    const folder = this.stackFolder(program);
    const options = { cwd: folder, env: terraformEnvironment(env), stop };
    await this.initialize(options);
    const targets = targetsOf(program, group);
    // Without a target it would be the whole cluster.
    if (program.spec.platform !== "local" && targets.length > 0) {
      await printedBy(["apply", "-refresh-only", "-auto-approve", ...QUIET, ...targets], options);
      ({ program, batch } = this.synth(await loadProgram(env)));
    }
    const file = join(run.folder, `plan-${group}`);
    const gateIs = `-var=${GATE_VARIABLE}=${gate}`;
    await printedBy(["plan", ...QUIET, "-refresh=false", gateIs, `-out=${file}`], options);
    const json = jsonOf(await printedBy(["show", "-json", file], options));
    const judged = judgeMadePlan({ json, file, view: group, inBatches: true }, program);
    if (judged.result.verdict === "rejected") throw new UserError(formatCheck(judged.result));
    return { program, file, folder, batch, ...judged };
  }

  /** Writes the view of the group's next batch and no other. */
  private synth(read: Program): { program: Program; batch: Batch } {
    const batch = batchOf(read, this.group);
    const program = { ...read, views: [this.group], laterHosts: batch.laterHosts };
    synthesize(program, this.outdir());
    return { program, batch };
  }

  /** Once, and again where the backend or the providers have changed. */
  private async initialize(options: { cwd: string; env: Environment; stop: AbortSignal }): Promise<void> {
    const stack = stackSchema.parse(JSON.parse(readFileSync(join(options.cwd, "cdk.tf.json"), "utf8")));
    const needed = JSON.stringify(stack.terraform);
    if (needed === this.initialized) return;
    await printedBy(["init", ...QUIET, "-reconfigure"], options);
    this.initialized = needed;
  }

  private outdir(): string {
    return this.run.env["CDKTF_OUTDIR"] ?? "cdktf.out";
  }

  private stackFolder({ spec }: Program): string {
    return resolve(this.outdir(), spec.name, this.group);
  }
}

/** The machines of a group that stands that are replaced next, and those that wait. */
export function batchOf({ spec, deployed }: ClusterState, name: string): Batch {
  const group = findGroup(spec, name);
  const current = deployed.groups.get(name);
  if (!current) return { updated: [], updating: [], laterHosts: [] };
  const { maxUnavailable } = gateSettingsOf(group.pool, spec);
  return nextBatch(group, current, { maxUnavailable, platform: spec.platform });
}

/** @throws UserError with what the guard says of it, as it goes into the log, too */
function synthesize(program: Program, outdir: string): void {
  try {
    buildApp(program, outdir).synth();
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : new UserError(refusal);
  }
}

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
