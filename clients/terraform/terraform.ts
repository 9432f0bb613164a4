import { basename } from "node:path";
import { execa } from "execa";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import { type Environment, withoutTokens } from "../environment.js";
import { messageOf } from "../error-code.js";
import { findTerraform, HOW_TO_GET_IT, toolOf } from "./find.js";
import { firstError } from "./error.js";

export interface TerraformOptions {
  /** The folder in which Terraform runs. */
  readonly cwd: string;
  readonly env?: Environment;
  /** Asks Terraform to end, which is waited for. Default: never. */
  readonly end?: AbortSignal;
}

/** What a run printed and how it ended. */
export interface TerraformResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface TerraformVersion {
  /** The path of the binary. */
  readonly binary: string;
  /** `1.11.4` */
  readonly version: string;
}

/** The commands that run providers, which may be configured from the environment, and hooks. */
const WITH_TOKENS: readonly (string | undefined)[] = ["plan", "apply"];

/** The plan of thousands of hosts has more than the 100 MB that execa allows by itself. */
const MOST_OUTPUT = 500_000_000;

/**
 * Runs Terraform (or OpenTofu) and keeps what it prints to itself. An exit code other than 0 is a result, no exception:
 * what it means depends on the command. Terraform is never killed by force, since it saves its state when it is asked to end.
 * @throws UserError when there is no Terraform, or when a signal ended it
 */
export async function runTerraform(
  args: readonly string[],
  { cwd, env = {}, end }: TerraformOptions,
): Promise<TerraformResult> {
  const binary = await findTerraform({ ...process.env, ...env });
  const { stdout, stderr, exitCode, signal, cause } = await execa(binary, args, {
    cwd,
    env: {
      ...(WITH_TOKENS.includes(args[0]) ? env : withoutTokens(env)),
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
    },
    stdin: "ignore",
    reject: false,
    forceKillAfterDelay: false,
    maxBuffer: MOST_OUTPUT,
    ...(end ? { cancelSignal: end } : {}),
  });
  if (exitCode !== undefined) return { stdout, stderr, exitCode };
  const command = [basename(binary), ...args].join(" ");
  if (signal !== undefined)
    throw new UserError(`${toolOf(binary)} was ended by ${signal}: ${command}; run it again`);
  throw new UserError(
    `${toolOf(binary)} cannot be started: ${command}: ${messageOf(cause)}; ${HOW_TO_GET_IT}`,
  );
}

/**
 * The Terraform or OpenTofu that {@link runTerraform} runs.
 * @throws UserError when it is missing, older than 1.9, or something else
 */
export async function terraformVersion(
  options: TerraformOptions = { cwd: process.cwd() },
): Promise<TerraformVersion> {
  const binary = await findTerraform({ ...process.env, ...options.env });
  const { stdout, stderr, exitCode } = await runTerraform(["version", "-json"], options);
  const version = versionIn(jsonOf(stdout));
  if (/^(\[command\]|::debug::)/m.test(stdout))
    throw new UserError(
      `${binary} is setup-terraform's wrapper, which adds lines to what is read here: set terraform_wrapper: false in the workflow`,
    );
  if (exitCode !== 0 || version === undefined) {
    const answer = firstError(`${stderr}\n${stdout}`) || `exit code ${String(exitCode)}`;
    throw new UserError(
      `no version of Terraform: ${binary} version -json answered ${JSON.stringify(answer)}; ${HOW_TO_GET_IT}`,
    );
  }
  if (isTooOld(version))
    throw new UserError(`${toolOf(binary)} is too old: ${binary} is ${version}; ${HOW_TO_GET_IT}`);
  return { binary, version };
}

/**
 * The text of the JSON document that a command printed; empty when there is none. OpenTofu prints warnings about its CLI
 * configuration on the standard output in front of it.
 */
export function jsonOf(stdout: string): string {
  const start = stdout.search(/^[{[]/m);
  return start === -1 ? "" : stdout.slice(start);
}

/** OpenTofu answers under this name, too. */
const answerSchema = z.object({ terraform_version: z.string().regex(/^\d+\.\d+\./) });

function versionIn(text: string): string | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data?.terraform_version;
  } catch {
    return undefined;
  }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 1 || (major === 1 && minor < 9);
}
