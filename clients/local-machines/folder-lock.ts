import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import { isRunning } from "../running.js";

const TRY_EVERY_MS = 20;
/** Whoever holds it starts a process, which takes a second. */
const PATIENCE_MS = 60_000;
const UNFINISHED_MS = 5000;
const FREE = "free";

/**
 * Does some work while no other process does any under the same folder's lock. A lock whose process has ended is taken
 * over.
 *
 * Each holder makes the next of the files `lock.0`, `lock.1`, ...: the last one is the lock, and holds the id of its
 * process, or that it is free. It is never removed, so nobody can take away a lock that another has just got.
 * @throws UserError when somebody holds it for a minute
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const end = Date.now() + PATIENCE_MS;
  let held = take(folder);
  while (held === undefined) {
    signal.throwIfAborted();
    if (Date.now() > end) {
      throw new UserError(
        `somebody else starts or stops machines in ${folder} for a minute: process ${holderOf(folder)}; end it, or wait for it`,
      );
    }
    await pause(TRY_EVERY_MS);
    held = take(folder);
  }
  try {
    return await work();
  } finally {
    writeFileSync(held, FREE);
  }
}

/** The file of the lock, or undefined where somebody holds it. */
function take(folder: string): string | undefined {
  const last = numbersIn(folder).at(-1);
  if (last !== undefined && isHeld(fileOf(folder, last))) return undefined;
  const mine = (last ?? -1) + 1;
  try {
    writeFileSync(fileOf(folder, mine), String(process.pid), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return undefined;
    throw error;
  }
  // Between the look and the file others may have come and gone, and this file's own number with them.
  const numbers = numbersIn(folder);
  if (numbers.at(-1) !== mine) {
    rmSync(fileOf(folder, mine), { force: true });
    return undefined;
  }
  for (const old of numbers.filter((each) => each < mine)) rmSync(fileOf(folder, old), { force: true });
  return fileOf(folder, mine);
}

const fileOf = (folder: string, number: number): string => join(folder, `lock.${String(number)}`);

const numbersIn = (folder: string): number[] =>
  readdirSync(folder)
    .flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);

const holderOf = (folder: string): string => {
  const last = numbersIn(folder).at(-1);
  return last === undefined ? "" : readFileSync(fileOf(folder, last), "utf8");
};

function isHeld(file: string): boolean {
  let holder: string;
  try {
    holder = readFileSync(file, "utf8");
  } catch (error) {
    // A later one has come.
    if (codeOf(error) === "ENOENT") return true;
    throw error;
  }
  if (holder === FREE) return false;
  const pid = Number(holder);
  if (pid > 0) return isRunning(pid);
  // One that is being written is empty for a moment; one that stays so was never finished.
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < UNFINISHED_MS;
}
