import { constants, existsSync, realpathSync } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename, delimiter, isAbsolute, join, resolve, sep } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import { FETCHED } from "./opentofu.js";

/** What to do where Terraform is missing or too old. */
export const HOW_TO_GET_IT =
  "install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)";

/**
 * The path of the binary to run: what `TERRAFORM_BINARY_NAME` names, else `terraform`, else `tofu`, else the OpenTofu that was
 * fetched.
 * @param folder below which that lies. Default: the one in which the command runs
 * @throws UserError when there is none
 */
export async function findTerraform(env: Environment = process.env, folder = process.cwd()): Promise<string> {
  const named = env["TERRAFORM_BINARY_NAME"];
  if (named !== undefined && named !== "") {
    const found = await findProgram(named, env);
    if (found !== undefined) return found;
    throw new UserError(
      `Terraform is not installed: TERRAFORM_BINARY_NAME names ${named}, which is no program on the PATH; correct it, or ${HOW_TO_GET_IT}`,
    );
  }
  const found =
    (await findProgram("terraform", env)) ??
    (await findProgram("tofu", env)) ??
    (await findProgram(resolve(folder, FETCHED), env));
  if (found !== undefined) return found;
  throw new UserError(
    `Terraform is not installed: looked for terraform and tofu on the PATH; ${HOW_TO_GET_IT}, or name a binary by TERRAFORM_BINARY_NAME`,
  );
}

/** How people call the binary. Some installations call OpenTofu by a link of the other's name. */
export const toolOf = (binary: string): "Terraform" | "OpenTofu" =>
  basename(existsSync(binary) ? realpathSync(binary) : binary).includes("tofu") ? "OpenTofu" : "Terraform";

/** How a command of the binary begins, which {@link findTerraform} finds. */
export const commandIn = async (env: Environment = {}): Promise<"terraform" | "tofu"> =>
  toolOf(await findTerraform({ ...process.env, ...env })) === "OpenTofu" ? "tofu" : "terraform";

/** A program as a shell finds it: a name on the PATH, anything with a slash as it stands; undefined where there is none. */
export async function findProgram(name: string, env: Environment): Promise<string | undefined> {
  if (name.includes(sep)) {
    const path = isAbsolute(name) ? name : resolve(name);
    return (await isProgram(path)) ? path : undefined;
  }
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && (await isProgram(path))) return resolve(path);
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
