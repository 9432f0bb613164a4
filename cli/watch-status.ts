import { formatSeconds } from "../rollout/log/time.js";
import { unmet, watchEnd, type Watched } from "../rollout/status/watch-end.js";
import type { Status } from "../rollout/status/status.js";
import { UserError } from "../cluster/user-error.js";
import { watchLines } from "./output/watch.js";
import type { Clock } from "../clients/clock.js";

export interface WatchArgs {
  readonly format: "text" | "json";
  /** A group whose phase is watched instead of the cluster's. */
  readonly group: string | undefined;
  readonly timeoutSeconds: number;
  /** Of the group. */
  readonly revision: number | undefined;
  readonly untilPaused: boolean;
}

export interface WatchDeps {
  /** @param now milliseconds since 1970 */
  readonly read: (now: number) => Promise<Status>;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Prints the phase whenever it changed, until there is nothing more to wait for.
 * @throws UserError when it failed, was paused, cancelled or superseded, or when the time is up
 */
export async function watchStatus(
  { read, clock, intervalMs, say, signal }: WatchDeps,
  args: WatchArgs,
): Promise<void> {
  const since = clock.now();
  const deadline = since + args.timeoutSeconds * 1000;
  const { group, revision: number } = args;
  const watched: Watched = {
    untilPaused: args.untilPaused,
    revision: group === undefined || number === undefined ? undefined : { group, number },
    since,
  };
  const tell = watchLines(args.format, say);
  let status = await read(since);
  tell(status);
  for (;;) {
    const end = watchEnd(status, watched);
    if (end?.result === "ok") return;
    if (end) throw new UserError(end.why);
    if (clock.now() >= deadline) {
      throw new UserError(
        `timed out after ${formatSeconds(args.timeoutSeconds)}: ${group ?? status.cluster} is ${unmet(status, watched)}; watch on with a longer --timeout`,
      );
    }
    await pause(Math.min(intervalMs, deadline - clock.now()));
    status = (await readOrSay()) ?? status;
  }

  async function pause(ms: number): Promise<void> {
    try {
      await clock.pause(ms, signal);
    } catch {
      const run = status.run === null ? "" : "; the roll goes on (rollout cancel ends it)";
      throw new UserError(`stopped watching${run}`);
    }
  }

  /** What stood once may be unreadable for a moment, while somebody writes it. */
  async function readOrSay(): Promise<Status | undefined> {
    const now = clock.now();
    try {
      const found = await read(now);
      tell(found);
      return found;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      tell({ at: new Date(now).toISOString(), unknown: error.message });
      return undefined;
    }
  }
}
