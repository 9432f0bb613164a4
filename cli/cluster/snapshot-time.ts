import { stat } from "node:fs/promises";
import { UserError } from "../../cluster/user-error.js";

/** When a snapshot was written, in milliseconds since 1970; null where there is none. @throws UserError where one cannot look */
export async function snapshotTime(file: string | undefined): Promise<number | null> {
  if (file === undefined) return null;
  try {
    const { mtimeMs, size } = await stat(file);
    return size > 0 ? mtimeMs : null;
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
    if (code === "ENOENT") return null;
    throw new UserError(`the snapshot of Consul cannot be looked at: ${file} (${code})`);
  }
}
