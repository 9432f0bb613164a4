import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../cluster/user-error.js";
import { codeOf, isDiskFull } from "./error-code.js";

/**
 * Writes a file whole or not at all: a reader never sees half of it, and a full disk leaves the old one.
 * @throws UserError where the disk is full, or nobody may write there
 * @param mode its access rights; default: the owner's alone
 */
export function putFile(file: string, content: string | Uint8Array, mode = 0o600): void {
  const beside = join(dirname(file), `.${basename(file)}.${String(process.pid)}.tmp`);
  try {
    writeFileSync(beside, content, { mode });
    renameSync(beside, file);
  } catch (error) {
    if (isDenied(error)) throw new UserError(`cannot write ${file}: ${codeOf(error)}; it is as it was`);
    if (!isDiskFull(error)) throw error;
    throw new UserError(
      `cannot write ${file}: the disk is full; it is as it was: make room, and run the same command again`,
    );
  } finally {
    rmSync(beside, { force: true });
  }
}

/** Writes a file that is there anew, with the access rights that it has. */
export function rewriteFile(file: string, text: string): void {
  putFile(file, text, statSync(file).mode);
}

const isDenied = (error: unknown): boolean => ["EACCES", "EPERM", "EROFS"].includes(codeOf(error));
