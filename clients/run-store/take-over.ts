import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { holdSchema, type Hold } from "../../cluster/run/hold.js";
import { UserError } from "../../cluster/user-error.js";
import { readJsonFile, textIfThere } from "../json-file.js";
import { lockHolder } from "../run-folder/lock.js";
import { changeHold } from "./hold.js";
import type { RunStore } from "./run-store.js";

/** What versions before the run store have left in the run folder of this machine. */
export function leftIn(folder: string): {
  readonly log: string | undefined;
  readonly hold: Hold | undefined;
} {
  const hold = join(folder, "hold.json");
  return {
    log: textIfThere(join(folder, "log.jsonl")),
    hold: readJsonFile(hold, holdSchema, `${hold} is damaged, so nothing is rolled; remove it`),
  };
}

/**
 * Takes over what versions before the run store have left in the run folder of this machine: the log sorts before all others,
 * a hold holds on. What is taken over is gone from there.
 * @throws UserError while a run of such a version is under way
 */
export async function takeOver(store: RunStore, folder: string): Promise<void> {
  const { log, hold } = leftIn(folder);
  const holder = lockHolder(folder);
  if (holder)
    throw new UserError(
      `a run of an earlier version is under way: ${holder.command}, by ${holder.by} (process ${String(holder.pid)}); wait until it has ended`,
    );
  if (log !== undefined) {
    const sum = createHash("sha256").update(log).digest("hex").slice(0, 12);
    // Where it is there already, it was stored before this run folder was emptied.
    await store.write(`log/0-${sum}`, log, undefined);
    rmSync(join(folder, "log.jsonl"), { force: true });
  }
  if (hold) await changeHold(store, Date.now(), (now) => now ?? hold);
  rmSync(join(folder, "hold.json"), { force: true });
}
