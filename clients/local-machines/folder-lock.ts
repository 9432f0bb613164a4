import { join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import { lockHolder, tryLock } from "../run-folder/lock.js";
import { poll } from "./poll.js";

/** Whoever holds it starts a process, which takes a second. */
const PATIENCE_MS = 60_000;

/**
 * Does some work while no other process does any under the same folder's lock. A lock whose process has ended is taken
 * over.
 * @throws UserError when somebody holds it for a minute
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await poll(PATIENCE_MS, () => {
    const tried = tryLock(folder, { command: "machines", now: new Date() });
    if ("release" in tried) return tried;
    signal.throwIfAborted();
    return undefined;
  });
  if (lock === undefined) {
    const { by = "unknown", pid = 0 } = lockHolder(folder) ?? {};
    throw new UserError(
      `somebody else starts or stops machines in ${folder} for a minute: process ${String(pid)}, by ${by}; end it, or wait for it, or remove ${join(folder, "lock")} if that process is gone`,
    );
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
