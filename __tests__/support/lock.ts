import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const pollEveryMs = 100;
const nameless = 5_000;

/**
 * Runs `work` while no other process holds the lock `folder`. A lock whose holder has died is taken over.
 *
 * The lock is a folder because `mkdir` is atomic everywhere.
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(folder), { recursive: true });
  while (!(await take(folder))) {
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true });
    else await pause(pollEveryMs);
  }
  try {
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function take(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
  await writeFile(join(folder, "pid"), String(process.pid));
  return true;
}

/** True if the holder is gone, or never came to write its name. */
async function isAbandoned(folder: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    if (pid > 0) return !isAlive(pid);
    return Date.now() - (await stat(folder)).mtimeMs > nameless;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const age = await stat(folder).then(
    (stats) => Date.now() - stats.mtimeMs,
    () => 0,
  );
  return age > nameless;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

/** Not `instanceof Error`: inside Jest, Node's own errors are instances of another realm's `Error`. */
function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
