import type { Environment } from "../clients/environment.js";
import { codeOf } from "../clients/error-code.js";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Plan } from "../guard/plan/plan.js";
import { NotAPlan, readPlan } from "../guard/plan/read-plan.js";
import { parseGroupName } from "../cluster/address.js";
import { isForReview } from "../cluster/deployed.js";
import { formatValue } from "../cluster/yaml/problem.js";
import { UserError } from "../cluster/user-error.js";
import type { CheckResult, IntentCheck } from "../program/check-result.js";
import { resultOf, sha256Of } from "../program/result-of.js";
import { isArchive } from "../program/saved-configuration.js";
import { startContextThread } from "./context-thread.js";
import type { ClusterState } from "../cluster/cluster-state.js";

export interface CheckArgs {
  /** A file of `terraform show -json`, a saved plan, an intent, or `-` for standard input. */
  readonly plan: string;
  /** The SHA-256 of the file that was approved, byte for byte; any other is refused. */
  readonly sha256?: string | undefined;
}

/**
 * Judges a plan against the spec and what is deployed, or says whether an intent may still be rolled.
 * @throws UserError with exit code 2 when it is no plan, with 1 when it would begin what somebody holds back
 */
export async function runCheck(
  env: Environment,
  { plan: file, sha256: approved }: CheckArgs,
): Promise<CheckResult | IntentCheck> {
  const bytes = readApproved(file, approved);
  const sha256 = sha256Of(bytes);
  if (isIntent(bytes)) {
    const { checkIntent } = await import("./check-intent.js");
    const found = await checkIntent(env, bytes, file);
    if (found) return found;
  }
  const isEncrypted = new TextDecoder().decode(bytes.subarray(0, ENCRYPTED.length)) === ENCRYPTED;
  const shown = isEncrypted || isArchive(bytes) ? await showPlan(file, env, isEncrypted) : bytes;
  const { plan, spec, deployed } = await readAll(shown, env);
  if (!isForReview(deployed.origin)) {
    const result = resultOf(plan, { spec, deployed }, bytes, sha256);
    const { view, verdict, touched } = result;
    if (view === null || verdict === "rejected" || !touched.includes(view)) return result;
    const { BEFORE_IT_BEGINS, refuseHeld } = await import("../program/held.js");
    await refuseHeld({ env }, view, BEFORE_IT_BEGINS);
    return result;
  }
  throw new UserError(
    `a plan is judged against the state, and deployed is taken from ${deployed.origin.where}; unset ROLLOUT_DEPLOYED`,
    2,
  );
}

/**
 * Reads a file that was approved.
 * @param approved its SHA-256; undefined: whatever it is
 * @throws UserError with exit code 2 when that is no hash, with 1 when it is another file's
 */
export function readApproved(file: string, approved: string | undefined): Uint8Array {
  if (approved !== undefined && !/^[0-9a-f]{64}$/i.test(approved)) {
    throw new UserError(
      `no SHA-256: ${formatValue(approved)}; expected 64 hexadecimal digits, as rollout check prints them`,
      2,
    );
  }
  const bytes = readPlanFile(file);
  const sha256 = sha256Of(bytes);
  if (approved !== undefined && approved.toLowerCase() !== sha256) {
    throw new UserError(
      `not the ${isIntent(bytes) ? "intent" : "plan"} that was approved: ${file} is ${sha256}, approved was ${approved}; have this one reviewed`,
    );
  }
  return bytes;
}

/** Whether its content may be that of an intent, whatever the file is called. A plan hardly has such a word. */
const isIntent = (bytes: Uint8Array): boolean =>
  bytes.length < LARGE_BYTES && /"kind":\s*"rollout-intent"/.test(new TextDecoder().decode(bytes));

/** A thread takes some hundredths of a second to start: reading the spec and state of a smaller plan takes no longer. */
const LARGE_BYTES = 8_000_000;

/** Reads the plan and what it is held against, both at once where that is faster. */
async function readAll(bytes: Uint8Array, env: Environment): Promise<ClusterState & { plan: Plan }> {
  const thread = bytes.length >= LARGE_BYTES ? startContextThread(env) : undefined;
  try {
    const plan = readPlan(bytes);
    const context = await thread?.context;
    if (context) return { plan, ...context };
    // Loaded only here: with a thread, zod and yaml are needed there and nowhere else.
    const { readCluster } = await import("../program/read-deployed.js");
    return { plan, ...(await readCluster(env)) };
  } finally {
    await thread?.stop();
  }
}

/** How a saved plan begins that OpenTofu has encrypted (TF_ENCRYPTION). */
const ENCRYPTED = '{"meta":';

function readPlanFile(file: string): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ERR_FS_FILE_TOO_LARGE") throw new NotAPlan("the file has more than 2 GiB");
    throw new UserError(
      `cannot read ${file}: ${code === "ENOENT" ? "there is no such file" : code}; name a plan, or - for standard input`,
      2,
    );
  }
}

async function showPlan(file: string, env: Environment, isEncrypted: boolean): Promise<Uint8Array> {
  const { jsonOf, runTerraform } = await import("../clients/terraform/terraform.js");
  const { commandIn } = await import("../clients/terraform/find.js");
  const { firstError } = await import("../clients/terraform/error.js");
  const shown = await runTerraform(["show", "-json", resolve(file)], { cwd: await folderOf(file, env), env });
  if (shown.exitCode === 0) return new TextEncoder().encode(jsonOf(shown.stdout));
  const command = await commandIn(env);
  const remedy = isEncrypted
    ? "it is encrypted by OpenTofu: read it with that (TERRAFORM_BINARY_NAME=tofu) and with the keys that it was made with (TF_ENCRYPTION)"
    : `a saved plan is read in the folder that was initialized for it: move it there, or pass what ${command} show -json prints`;
  throw new UserError(
    `${command} show failed for ${file}: ${firstError(`${shown.stderr}\n${shown.stdout}`)}; ${remedy}`,
    2,
  );
}

/** Where a saved plan can be read: the folder of its view, if `rollout plan` made it, since providers are there. */
async function folderOf(file: string, env: Environment): Promise<string> {
  const { readSpec } = await import("../program/read-spec.js");
  const beside = dirname(resolve(file));
  const named = (await writtenVerdict(file))?.view ?? "";
  const view = named === "cluster" || parseGroupName(named) ? named : undefined;
  const folder = resolve(env["CDKTF_OUTDIR"] ?? "cdktf.out", readSpec(env).spec.name, view ?? "");
  return view && existsSync(join(folder, ".terraform")) ? folder : beside;
}

/**
 * Where the verdict of the plan that `rollout plan --out` made lies. It is no proof: whoever can write the plan can write that, too.
 */
export const verdictFile = (plan: string): string => `${plan}.verdict.json`;

async function writtenVerdict(file: string): Promise<CheckResult | undefined> {
  const { checkResultSchema } = await import("../program/check-result.js");
  try {
    return checkResultSchema.parse(JSON.parse(readFileSync(verdictFile(file), "utf8")));
  } catch {
    return undefined;
  }
}
