import { randomUUID } from "node:crypto";
import { makeRunFolder, runFolderOf } from "../clients/run-folder/folder.js";
import { takeLock } from "../clients/run-folder/lock.js";
import { appendLog } from "../clients/run-folder/log.js";
import type { Environment } from "../clients/environment.js";
import type { LogEvent } from "../cluster/run/run-log.js";
import { UserError } from "../cluster/user-error.js";
import { Interruption } from "../cluster/interruption.js";
import { onSignals } from "../clients/signals.js";
import type { Clock } from "../clients/clock.js";
import { readSpec } from "../program/read-spec.js";
import type { Confirm } from "./confirm.js";
import type { Progress } from "./progress.js";

/** One run of a verb that changes a cluster: it alone does so from this machine. */
export interface Run {
  /** As it was typed: `rollout deploy broker-1`. */
  readonly command: string;
  /** The same in all that the run leaves behind. */
  readonly id: string;
  readonly env: Environment;
  /** The run folder of the cluster. */
  readonly folder: string;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly confirm: Confirm;
  /** Aborted once somebody asks the run to end. What is under way is ended in order, nothing more is begun. */
  readonly stop: AbortSignal;
  /** Whether what `own-resources.ts` declares is part of the views. Default: true. */
  readonly ownResources?: boolean;
  /** Adds to the cluster's log. */
  readonly log: (event: Omit<LogEvent, "at" | "run">) => void;
}

export type RunOptions = Pick<Run, "command" | "env" | "clock" | "progress" | "confirm" | "ownResources">;

/**
 * Runs an action while the cluster's lock is held, with its beginning and its end in the log. The first signal asks the run
 * to end; those that follow change nothing, since a second one would make Terraform lose what it knows.
 * @throws UserError when another run holds the lock, before anything is done
 */
export async function inRun<T>(options: RunOptions, action: (run: Run) => Promise<T>): Promise<T> {
  const { env, clock, command } = options;
  const { spec, file } = readSpec(env);
  const folder = runFolderOf(file, spec.name);
  makeRunFolder(folder);
  const lock = takeLock(folder, { command, now: new Date(clock.now()) });
  const id = randomUUID().slice(0, 8);
  const log: Run["log"] = (event) => {
    appendLog(folder, { at: new Date(clock.now()).toISOString(), run: id, ...event });
  };
  const stop = new AbortController();
  const stopHearing = onSignals(() => {
    stop.abort(new Interruption("interrupted"));
  });
  const begun = clock.now();
  const seconds = (): number => Math.max(0, (clock.now() - begun) / 1000);
  try {
    log({ event: "run-started", by: lock.holder.by, command });
    const result = await action({ ...options, id, folder, stop: stop.signal, log });
    log({ event: "run-ended", result: "ok", seconds: seconds() });
    return result;
  } catch (error) {
    const result = stop.signal.aborted ? "interrupted" : "failed";
    const message = error instanceof UserError ? error.message : String(error);
    logIfPossible({ log }, { event: "run-ended", result, seconds: seconds(), message });
    throw error;
  } finally {
    stopHearing();
    lock.release();
  }
}

/** What went wrong is told, and not that it could not be written down. */
export function logIfPossible({ log }: Pick<Run, "log">, event: Parameters<Run["log"]>[0]): void {
  try {
    log(event);
  } catch {
    // The first failure is the one that counts.
  }
}
