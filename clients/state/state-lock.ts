import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { textIfThere } from "../json-file.js";

const lockSchema = z.object({ Who: z.string(), Operation: z.string(), Created: z.string() });

/** Who holds the lock of a state, as Terraform notes it. */
export type StateLock = z.output<typeof lockSchema>;

/** Terraform's note of who holds the lock: `.terraform.tfstate.lock.info` beside `terraform.tfstate`. */
export const lockFileOf = (file: string): string => join(dirname(file), `.${basename(file)}.lock.info`);

/** What such a note says; undefined for none, and for one that is just being written. */
export function stateLockIn(text: string | undefined): StateLock | undefined {
  try {
    return lockSchema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}

/** Who holds the lock of a local state. A Terraform of this machine that was killed leaves its note, but not its lock, which Linux lists. */
export function localLockOf(file: string): StateLock | undefined {
  const lock = stateLockIn(textIfThere(lockFileOf(file)));
  return lock?.Who.endsWith(`@${hostname()}`) && !isLocked(file) ? undefined : lock;
}

function isLocked(file: string): boolean {
  try {
    const { ino } = statSync(file);
    return readFileSync("/proc/locks", "utf8").includes(`:${String(ino)} `);
  } catch {
    return true;
  }
}
