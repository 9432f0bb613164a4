import { stat } from "node:fs/promises";
import { codeOf } from "../../clients/error-code.js";
import { UserError } from "../../cluster/user-error.js";

/** When a snapshot was written, by the cluster's own time; null where there is none. @throws UserError where one cannot look */
export async function snapshotTime(
  file: string | undefined,
  timeAt: (real: number) => number,
): Promise<number | null> {
  if (file === undefined) return null;
  try {
    const { mtimeMs, size } = await stat(file);
    return size > 0 ? timeAt(mtimeMs) : null;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return null;
    throw new UserError(`the snapshot cannot be looked at: ${file} (${code})`);
  }
}
