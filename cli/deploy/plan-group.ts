import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { printedBy } from "../../clients/terraform-plan.js";
import { jsonOf } from "../../clients/terraform.js";
import { judgePlan } from "../../guard/judge.js";
import { readPlan } from "../../guard/plan/read-plan.js";
import { type PlanSummary, summarizePlan } from "../../rollout/plan-summary.js";
import { parseAddress } from "../../spec/address.js";
import { describeOrigin } from "../../spec/deployed.js";
import { GATE_VARIABLE, type Gate } from "../../spec/rollout-gate.js";
import { UserError } from "../../spec/user-error.js";
import { resultOf } from "../check.js";
import type { CheckResult } from "../check-result.js";
import { formatCheck } from "../format-check.js";
import { standing } from "../plan.js";
import { buildApp, loadProgram, type Program } from "../program.js";
import { refusalOf } from "../report-failure.js";
import { terraformEnvironment } from "../terraform-environment.js";

import type { Run } from "./run.js";

/** A plan of a group's view that the guard has accepted. */
export interface GroupPlan {
  /** What it was made from. */
  readonly program: Program;
  readonly file: string;
  /** The folder of the stack, where it is applied. */
  readonly folder: string;
  readonly summary: PlanSummary;
  readonly result: CheckResult;
}

const QUIET = ["-input=false", "-no-color"];

/**
 * Makes the plan of a group's view and has it judged. What is asked of the cloud grows with the group and not with the
 * cluster: only the group is looked at anew.
 * @throws UserError when Terraform fails or the guard rejects the plan
 */
export async function planGroup(run: Run, group: string, gate: Gate): Promise<GroupPlan> {
  const { env, stop } = run;
  const outdir = env["CDKTF_OUTDIR"] ?? "cdktf.out";
  const synthesized = async (): Promise<Program> => {
    const program = { ...(await loadProgram(env)), views: [group] };
    synthesize(program, outdir);
    return program;
  };
  let program = await synthesized();
  const folder = resolve(outdir, program.spec.name, group);
  const options = { cwd: folder, env: terraformEnvironment(env), stop };
  await printedBy(["init", ...QUIET, "-reconfigure"], options);
  if (program.spec.platform !== "local") {
    await printedBy(
      ["apply", "-refresh-only", "-auto-approve", ...QUIET, ...targetsOf(program, group)],
      options,
    );
    program = await synthesized();
  }
  const file = join(run.folder, `plan-${group}`);
  const gateIs = `-var=${GATE_VARIABLE}=${gate}`;
  await printedBy(["plan", ...QUIET, "-refresh=false", gateIs, `-out=${file}`], options);
  const json = jsonOf(await printedBy(["show", "-json", file], options));
  const plan = readPlan(new TextEncoder().encode(json));
  const verdict = judgePlan(plan, { spec: program.spec, deployed: program.deployed, madeWhole: true });
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  const result = resultOf(verdict, plan, describeOrigin(program.deployed.origin), sha256);
  if (result.verdict === "rejected") throw new UserError(formatCheck(result));
  const summary = summarizePlan(JSON.parse(json), group, standing(program));
  return { program, file, folder, summary, result };
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

const targetsOf = ({ deployed }: Program, group: string): string[] =>
  [...deployed.addresses]
    .filter((address) => parseAddress(address)?.group === group)
    .map((address) => `-target=${address}`);
