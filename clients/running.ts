import { readFileSync } from "node:fs";
import { codeOf } from "./error-code.js";

/** Whether a process of this machine runs: its number may be another's by now. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's.
    return codeOf(error) !== "ESRCH";
  }
  return !isZombie(pid);
}

/** A process that was killed keeps its number until somebody waits for it, in some containers for ever. */
function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
