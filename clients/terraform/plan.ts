import { UserError } from "../../cluster/user-error.js";
import { commandIn } from "./find.js";
import { firstError } from "./error.js";
import { jsonOf, runTerraform, type TerraformOptions } from "./terraform.js";

export interface TerraformPlanOptions extends TerraformOptions {
  /** Where the plan is written: absolute, or relative to the folder. */
  readonly file: string;
  /** Whether `init` takes the backend as the stack has it, whatever it was before. Default: false. */
  readonly reconfigure?: boolean;
  /** Said at the end of an error, after a semicolon. Default: nothing. */
  readonly remark?: string;
  /** Asked between two commands: a command that runs is always waited for. */
  readonly stop?: AbortSignal;
}

/**
 * Initializes the folder of a stack and makes its plan.
 * @returns what `terraform show -json` prints of the plan
 * @throws UserError with what Terraform said first, and the signal's reason where it was asked to stop
 */
export async function makePlan({ file, reconfigure, ...options }: TerraformPlanOptions): Promise<string> {
  await printedBy(["init", ...QUIET, ...(reconfigure === true ? ["-reconfigure"] : [])], options);
  await printedBy(["plan", ...QUIET, `-out=${file}`], options);
  return jsonOf(await printedBy(["show", "-json", file], options));
}

const QUIET = ["-input=false", "-no-color"];

/**
 * What a command of Terraform's printed on standard output.
 * @param saidIn takes what is to be told of a failure from the standard output; default: all of it
 * @throws UserError with what Terraform said first when it failed, and the signal's reason where it was asked to stop
 */
export async function printedBy(
  args: readonly string[],
  { remark, stop, ...options }: Omit<TerraformPlanOptions, "file" | "reconfigure">,
  saidIn = (stdout: string): string => stdout,
): Promise<string> {
  stop?.throwIfAborted();
  const { exitCode, stdout, stderr } = await runTerraform(args, options);
  stop?.throwIfAborted();
  if (exitCode === 0) return stdout;
  const said = firstError(`${stderr}\n${saidIn(stdout)}`, args[0] === "init");
  throw new UserError(
    `${await commandIn(options.env)} ${args[0] ?? ""} failed: ${said}${remark === undefined ? "" : `; ${remark}`}`,
  );
}
