import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { runTerraform, terraformVersion, jsonOf } from "../clients/terraform.js";
import { firstError } from "../clients/terraform-error.js";
import { planSummarySchema, summarizePlan } from "../rollout/plan-summary.js";
import { isForReview } from "../spec/deployed.js";
import { isNew } from "../spec/pending.js";
import { UserError } from "../spec/user-error.js";
import { formatPlan } from "./format-plan.js";
import { buildApp, type Environment, loadProgram, type Program } from "./program.js";

export interface PlanArgs {
  /** A group's name or `cluster`; default: the one view that has something to do. */
  readonly view?: string;
  readonly format: "text" | "json";
}

/**
 * Makes the plan of one view with the real Terraform and tells what it does. Nothing is changed, and nothing is left
 * behind: the stack and the plan lie in a scratch folder that is removed.
 */
export async function runPlan(env: Environment, { view, format }: PlanArgs): Promise<string> {
  const asked = view === undefined || view === "cluster" ? env : { ...env, ROLLOUT_GROUP: view };
  const loaded = await loadProgram(asked);
  if (isForReview(loaded.deployed.origin)) {
    throw new UserError("ROLLOUT_DEPLOYED is set: a plan is made from the state alone; unset it", 2);
  }
  await terraformVersion({ cwd: process.cwd(), env });
  const name = view ?? onlyView(loaded);
  const scratch = mkdtempSync(join(tmpdir(), "rollout-plan-"));
  try {
    buildApp({ ...loaded, views: [name] }, scratch).synth();
    const plan = await planIn(join(scratch, loaded.spec.name, name), env);
    const standing = [...loaded.deployed.groups.values()]
      .filter((group) => !isNew(group))
      .map((group) => group.name);
    const summary = summarizePlan(plan, name, standing);
    return format === "json" ? JSON.stringify(planSummarySchema.parse(summary), null, 2) : formatPlan(summary);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
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

async function planIn(folder: string, env: Environment): Promise<unknown> {
  const cache = env["TF_PLUGIN_CACHE_DIR"] ?? join(homedir(), ".terraform.d", "plugin-cache");
  mkdirSync(cache, { recursive: true });
  const options = {
    cwd: folder,
    // The lock file of a scratch folder is thrown away, so a cached provider need not be downloaded again to fill it.
    env: { ...env, TF_PLUGIN_CACHE_DIR: cache, TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE: "true" },
  };
  const steps = [
    ["init", "-input=false", "-no-color", "-reconfigure"],
    ["plan", "-input=false", "-no-color", "-out=plan"],
    ["show", "-json", "plan"],
  ];
  let printed = "";
  for (const args of steps) {
    const { exitCode, stdout, stderr } = await runTerraform(args, options);
    if (exitCode !== 0) {
      throw new UserError(
        `terraform ${args[0] ?? ""} failed: ${firstError(`${stderr}\n${stdout}`)}; nothing was changed`,
      );
    }
    printed = stdout;
  }
  return JSON.parse(jsonOf(printed)) as unknown;
}
