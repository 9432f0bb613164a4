import { randomUUID } from "node:crypto";
import { makeRunFolder, runFolderOf } from "../clients/run-folder/folder.js";
import { logNameOf, LogWriter } from "../clients/run-store/run-log.js";
import { RunLock, type LockHolder } from "../clients/run-store/run-lock.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import type { Environment } from "../clients/environment.js";
import type { Despite, LogEvent } from "../cluster/run/run-log.js";
import { UserError } from "../cluster/user-error.js";
import { Interruption } from "../cluster/interruption.js";
import { onSignals } from "../clients/signals.js";
import type { Clock } from "../clients/clock.js";
import { findSpec } from "../program/read-spec.js";
import { openRunStore } from "../program/run-store.js";
import type { Approved } from "./approved.js";
import type { Confirm } from "./confirm.js";
import type { Progress } from "./progress.js";

/** One run of a verb that changes a cluster: it alone does so, wherever it is started. */
export interface Run {
  /** As it was typed: `rollout deploy broker-1`. */
  readonly command: string;
  /** The same in all that the run leaves behind. */
  readonly id: string;
  readonly env: Environment;
  /** The run folder of the cluster, on this computer. */
  readonly folder: string;
  /** What all share who roll the cluster. */
  readonly store: RunStore;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly confirm: Confirm;
  /** Aborted once somebody asks the run to end. What is under way is ended in order, nothing more is begun. */
  readonly stop: AbortSignal;
  /** What speaks against the group at hand and is overridden. */
  readonly despite?: Despite;
  /** What was approved, where the run is by an intent. */
  readonly approved?: Approved | undefined;
  /** Whether what is the user's own is part of the views. Default: true. */
  readonly ownResources?: boolean;
  /** Adds to the cluster's log, and is done once that is stored. @throws UserError where it cannot be */
  readonly log: (event: Event) => Promise<void>;
  /** Adds what may be lost. */
  readonly note: (event: Event) => void;
  /** Said before anything is begun. @throws UserError when the cluster's lock is not this run's any more, or nobody knows */
  readonly prove: () => Promise<void>;
}

type Event = Omit<LogEvent, "at" | "run">;

export interface RunOptions extends Pick<
  Run,
  "command" | "env" | "clock" | "progress" | "confirm" | "approved" | "ownResources"
> {
  /** Whether it may take the place of a run that is gone and had another goal. Default: no. */
  readonly mayFollow?: (gone: LockHolder) => Promise<boolean>;
}

/**
 * Runs an action while the cluster's lock is held, with its beginning and its end in the log. The first signal asks the run
 * to end; those that follow change nothing, since a second one would make Terraform lose what it knows.
 * @throws UserError when another run holds the lock, before anything is done
 */
export async function inRun<T>(options: RunOptions, action: (run: Run) => Promise<T>): Promise<T> {
  const { mayFollow, ...given } = options;
  const { env, clock, command } = given;
  const source = findSpec(env);
  const folder = runFolderOf(source.file, source.spec.name);
  makeRunFolder(folder);
  const store = await openRunStore(source);
  const id = randomUUID().slice(0, 8);
  const lock = await RunLock.take(store, { run: id, command, clock, ...(mayFollow ? { mayFollow } : {}) });
  const { since, by } = lock.holder;
  const writer = new LogWriter(store, clock, logNameOf(since, id));
  const dated = (event: Event): LogEvent => ({ at: new Date(clock.now()).toISOString(), run: id, ...event });
  const log: Run["log"] = (event) => writer.add(dated(event));
  const note: Run["note"] = (event) => {
    writer.note(dated(event));
  };
  const prove = (): Promise<void> => lock.prove();
  const stop = new AbortController();
  const ended = new AbortController();
  const stopHearing = onSignals(() => {
    stop.abort(new Interruption("interrupted"));
  });
  const renewing = lock.renewUntil(ended.signal, ({ message }) => {
    stop.abort(new Interruption(message));
  });
  const begun = clock.now();
  const seconds = (): number => Math.max(0, (clock.now() - begun) / 1000);
  try {
    await log({ event: "run-started", by, command });
    const result = await action({ ...given, id, folder, store, stop: stop.signal, log, note, prove });
    await log({ event: "run-ended", result: "ok", seconds: seconds() });
    return result;
  } catch (error) {
    const result = stop.signal.aborted ? "interrupted" : "failed";
    const message = error instanceof UserError ? error.message : String(error);
    await logIfPossible({ log }, { event: "run-ended", result, seconds: seconds(), message });
    throw error;
  } finally {
    stopHearing();
    ended.abort();
    await renewing;
    await lock.release();
  }
}

/** What went wrong is told, and not that it could not be written down. */
export async function logIfPossible({ log }: Pick<Run, "log">, event: Event): Promise<void> {
  try {
    await log(event);
  } catch {
    // The first failure is the one that counts.
  }
}
