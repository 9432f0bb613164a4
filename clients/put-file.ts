import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file whole or not at all: a reader never sees half of it, and a full disk leaves the old one.
 * @param mode its access rights; default: the owner's alone
 */
export function putFile(file: string, text: string, mode = 0o600): void {
  const beside = join(dirname(file), `.${basename(file)}.${String(process.pid)}.tmp`);
  try {
    writeFileSync(beside, text, { mode });
    renameSync(beside, file);
  } finally {
    rmSync(beside, { force: true });
  }
}

/** Writes a file that is there anew, with the access rights that it has. */
export function rewriteFile(file: string, text: string): void {
  putFile(file, text, statSync(file).mode);
}
