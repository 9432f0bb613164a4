import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";

/**
 * The folder beside a spec for what is of this computer alone: what Terraform said in each apply, plans and snapshots, and the
 * machines of the local platform.
 * @param specFile absolute
 */
export const runFolderOf = (specFile: string, cluster: string): string =>
  join(dirname(specFile), ".rollout", cluster);

/**
 * Makes the run folder, for its owner alone.
 * @throws UserError where it cannot be made
 */
export function makeRunFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(
      `cannot make the folder ${folder}: ${codeOf(error)}; what Terraform says in a roll lies there: make it writable`,
    );
  }
}
