import { randomUUID } from "node:crypto";
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import { readJsonFile } from "../json-file.js";
import { whoRuns } from "../who-runs.js";
import { makeRunFolder } from "./folder.js";
import { isRunning } from "../running.js";

const holderSchema = z.object({
  /** Tells one lock of a process from another. */
  id: z.string(),
  /** `user@host` */
  by: z.string(),
  host: z.string(),
  pid: z.int().positive(),
  /** ISO 8601 in UTC. */
  since: z.iso.datetime(),
  /** As it was typed: `rollout deploy broker-1`. */
  command: z.string(),
});

/** Who holds the lock of a folder. */
export type LockHolder = z.output<typeof holderSchema>;

export interface HeldLock {
  readonly holder: LockHolder;
  /** Lets others in. Harmless when it is called again, and when somebody has taken the lock over. */
  release(): void;
}

export interface LockRequest {
  readonly command: string;
  readonly now: Date;
}

const LOCK = "lock";

/** Takes the lock of a folder. One whose process is gone from this machine is taken over. @returns who has it, where somebody does */
export function tryLock(folder: string, { command, now }: LockRequest): HeldLock | LockHolder {
  makeRunFolder(folder);
  const file = join(folder, LOCK);
  const holder: LockHolder = {
    id: randomUUID(),
    by: whoRuns(),
    host: hostname(),
    pid: process.pid,
    since: now.toISOString(),
    command,
  };
  const mine = `${file}.${holder.id}`;
  try {
    writeFileSync(mine, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    const other = take(file, mine);
    if (other) return other;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot lock ${folder}: ${codeOf(error)}; nothing was begun`);
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    holder,
    release: () => {
      if (readHolder(file)?.id === holder.id) rmSync(file, { force: true });
    },
  };
}

/** Who holds the lock of a folder; undefined where nobody does, or only a process that is gone from this machine. */
export function lockHolder(folder: string): LockHolder | undefined {
  const holder = readHolder(join(folder, LOCK));
  return holder === undefined || isGone(holder) ? undefined : holder;
}

/**
 * A link appears whole and only where there is none. The right to take a dead lock over is a lock itself: whoever has it is
 * the only one to replace what it still finds dead.
 * @returns who is alive and has it
 */
function take(file: string, mine: string): LockHolder | undefined {
  for (;;) {
    if (link(mine, file)) return undefined;
    const holder = readHolder(file);
    if (holder === undefined) continue;
    if (!isGone(holder)) return holder;
    const next = `${file}.next`;
    const other = take(next, mine);
    if (other) return other;
    if (readHolder(file)?.id === holder.id) {
      renameSync(next, file);
      return undefined;
    }
    rmSync(next, { force: true });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

const readHolder = (file: string): LockHolder | undefined =>
  readJsonFile(
    file,
    holderSchema,
    `the lock ${file} is damaged; remove it if no run of this cluster is under way`,
  );

/** Another machine's process cannot be asked for, so it counts as alive. */
function isGone({ host, pid }: LockHolder): boolean {
  return host === hostname() && !isRunning(pid);
}
