import { readdirSync, readFileSync } from "node:fs";
import { UserError } from "../../cluster/user-error.js";
import { poll } from "./poll.js";

/**
 * What stands in the environment of whatever runs on a machine, tasks included: its folder. A process that has lost its
 * parent has kept it, and the number of a process alone may be another's by now.
 */
export const MARKER = "ROLLOUT_MACHINE";

const GRACE_MS = 5000;
const KILL_MS = 10_000;

/** The processes whose marker is wanted; none where the system has no `/proc`. */
export function markedProcesses(isWanted: (marker: string) => boolean): number[] {
  return processes().filter((pid) => {
    const marker = markerOf(pid);
    return marker !== undefined && isWanted(marker);
  });
}

/** Whether a process runs and belongs to a machine. */
export const isMarked = (pid: number, marker: string): boolean => markerOf(pid) === marker;

/** Sends a signal to a process, unless its number is another's by now. */
export function signalMarked(pid: number, marker: string, signal: NodeJS.Signals): void {
  if (isMarked(pid, marker)) signalIfThere(pid, signal);
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Ends processes by their marker: asks them first, then ends them.
 * @returns how many there were
 * @throws UserError when some cannot be ended
 */
export async function endMarked(isWanted: (marker: string) => boolean): Promise<number> {
  const found = markedProcesses(isWanted).length;
  if (found === 0) return 0;
  send(isWanted, "SIGTERM");
  if (await haveEnded(isWanted, GRACE_MS, () => undefined)) return found;
  const kill = (): void => {
    send(isWanted, "SIGKILL");
  };
  if (await haveEnded(isWanted, KILL_MS, kill)) return found;
  throw new UserError(`processes have not ended: ${markedProcesses(isWanted).join(", ")}; end them by hand`);
}

function send(isWanted: (marker: string) => boolean, signal: NodeJS.Signals): void {
  for (const pid of markedProcesses(isWanted)) signalIfThere(pid, signal);
}

/** Looks again and again, since what is being ended may still start something. */
async function haveEnded(
  isWanted: (marker: string) => boolean,
  withinMs: number,
  each: () => void,
): Promise<boolean> {
  const ended = await poll(withinMs, () => {
    each();
    return markedProcesses(isWanted).length === 0 || undefined;
  });
  return ended === true;
}

function processes(): number[] {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid);
  } catch {
    return [];
  }
}

/** Undefined for a process that is another user's, has ended, or has no marker. */
function markerOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${String(pid)}/environ`, "latin1");
    const entry = environment.split("\0").find((each) => each.startsWith(`${MARKER}=`));
    return entry === undefined
      ? undefined
      : Buffer.from(entry.slice(MARKER.length + 1), "latin1").toString("utf8");
  } catch {
    return undefined;
  }
}
