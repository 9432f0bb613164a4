import type { Environment } from "../clients/environment.js";
import { codeOf, isDiskFull } from "../clients/error-code.js";
import { accessSync, constants, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makePlan } from "../clients/terraform/plan.js";
import { terraformVersion } from "../clients/terraform/terraform.js";
import { isForReview } from "../cluster/deployed.js";
import { UserError } from "../cluster/user-error.js";
import { verdictFile } from "./check.js";
import type { CheckResult } from "../program/check-result.js";
import { inScratch } from "../program/in-scratch.js";
import { judgeMadePlan, type JudgedPlan } from "../program/judged-plan.js";
import { warnOfMachines } from "../program/new-machine.js";
import { loadProgram, type Program } from "../program/program.js";
import { unsteady, writeViews } from "../program/run-program.js";
import { refuseStrays } from "../program/strays.js";
import { terraformEnvironment } from "../program/terraform-environment.js";

export interface PlanArgs {
  /** A group's name or `cluster`; default: the one view that has something to do. */
  readonly view?: string | undefined;
  /** Keep the plan in this file, and the verdict beside it. */
  readonly out?: string | undefined;
}

export interface MadePlan extends JudgedPlan {
  /** Where the plan was kept, and the folder in which Terraform applies it. */
  readonly kept?: { readonly file: string; readonly folder: string };
}

/**
 * Makes the plan of one view with the real Terraform and judges it. Nothing is changed, and nothing is left behind: stack
 * and plan lie in a scratch folder that is removed. With `out` the stack lies where cdktf has it, since that is where the
 * plan is applied, and the plan is kept with its verdict.
 */
export async function runPlan(env: Environment, { view, out }: PlanArgs): Promise<MadePlan> {
  if (out !== undefined) checkWritable(out);
  const asked = view === undefined || view === "cluster" ? env : { ...env, ROLLOUT_GROUP: view };
  const loaded = await loadProgram(asked);
  if (isForReview(loaded.deployed.origin)) {
    throw new UserError("ROLLOUT_DEPLOYED is set: a plan is made from the state alone; unset it", 2);
  }
  await terraformVersion({ cwd: process.cwd(), env });
  const name = view ?? onlyView(loaded);
  for (const line of await refuseStrays(loaded, name)) console.error(line);
  for (const line of await warnOfMachines(loaded.spec, new Map([[name, {}]]), loaded.deployed))
    console.error(line);
  return inScratch("rollout-plan-", async (scratch, asked) => {
    const outdir = out === undefined ? scratch : (env["CDKTF_OUTDIR"] ?? "cdktf.out");
    const file = join(scratch, "plan");
    const program = out === undefined ? { ...loaded, views: [name] } : loaded;
    if (await writeViews(program, env, { outdir, stop: asked.stop })) throw unsteady();
    const folder = resolve(outdir, loaded.spec.name, name);
    const json = await makePlan({
      ...asked,
      cwd: folder,
      file,
      reconfigure: true,
      remark: "nothing was changed",
      env: {
        ...terraformEnvironment(env),
        // The lock file of a scratch folder is thrown away, so a cached provider need not be downloaded again to fill it.
        ...(out === undefined ? { TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE: "true" } : {}),
      },
    });
    const judged = judgeMadePlan({ json, file, view: name }, loaded);
    if (out === undefined) return judged;
    keep(file, out, judged.result);
    return { ...judged, kept: { file: resolve(out), folder } };
  });
}

/** Before anything is asked: a plan takes minutes, and half of it is no use. */
export function checkWritable(out: string, files = [out, verdictFile(out)]): void {
  const folder = dirname(out);
  if (!isFolder(folder)) {
    throw new UserError(`cannot write ${out}: there is no folder ${folder}; make it first`, 2);
  }
  for (const file of files) {
    if (isFolder(file)) {
      throw new UserError(`cannot write ${file}: it is a folder; name a file for the plan`, 2);
    }
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    throw new UserError(`cannot write ${out}: the folder ${folder} is not writable; name another`, 2);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Both or neither: each is written whole beside its place before one of them is put there, which needs no room. */
function keep(plan: string, out: string, result: CheckResult): void {
  const beside = (file: string): string => `${file}.${String(process.pid)}.tmp`;
  const kept = new Map<string, string | Uint8Array>([
    [verdictFile(out), `${JSON.stringify(result, null, 2)}\n`],
    [out, readFileSync(plan)],
  ]);
  try {
    for (const [file, content] of kept) writeFileSync(beside(file), content, { mode: 0o600 });
    for (const file of kept.keys()) renameSync(beside(file), file);
  } catch (error) {
    if (isDiskFull(error)) throw error;
    throw new UserError(
      `cannot write ${out}: ${codeOf(error)}; name a file in a folder that is there and writable`,
      2,
    );
  } finally {
    for (const file of kept.keys()) rmSync(beside(file), { force: true });
  }
}

function onlyView({ views }: Program): string {
  const groups = views.filter((view) => view !== "cluster");
  if (groups.length > 1)
    throw new UserError(
      `${String(groups.length)} groups are pending: ${groups.join(", ")}; name one: rollout plan GROUP`,
      2,
    );
  return groups[0] ?? "cluster";
}
