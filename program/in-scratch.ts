import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heedSignals, type Asked } from "./heed-signals.js";

/**
 * Runs an action with a scratch folder, which is removed whatever becomes of the action. A process that is asked to end by a
 * signal does so when the action has, by that very signal.
 * @param prefix what the folder's name begins with
 */
export async function inScratch<T>(
  prefix: string,
  action: (folder: string, asked: Asked) => Promise<T> | T,
): Promise<T> {
  return heedSignals(async (asked) => {
    const folder = mkdtempSync(join(tmpdir(), prefix));
    try {
      return await action(folder, asked);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
