import { mkdirSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";

/**
 * The folder beside a spec for what belongs to a cluster and is not in its state: the lock, the log and the hold of its
 * rolls, and the machines of the local platform.
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
      `cannot make the folder ${folder}: ${codeOf(error)}; the lock and the log of a roll lie there: make it writable`,
    );
  }
}

/** Who runs this: `user@host`. */
export function whoRuns(): string {
  return `${userName()}@${hostname()}`;
}

/** A user without an entry in the system's list has no name, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? `uid-${String(process.getuid?.() ?? "unknown")}`;
  }
}
