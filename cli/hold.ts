import type { Environment } from "../clients/environment.js";
import { runFolderOf, whoRuns } from "../clients/run-folder/folder.js";
import { clearHold, readHold, writeHold } from "../clients/run-folder/hold.js";
import { lockHolder } from "../clients/run-folder/lock.js";
import { describeHold } from "../rollout/log/time.js";
import type { Hold } from "../cluster/run/hold.js";
import { UserError } from "../cluster/user-error.js";
import { readSpec } from "../program/read-spec.js";
import { shownHold } from "../program/situation.js";

/** Holds the next group back, whoever rolls it from this machine; the one in flight is finished. */
export function runPause(env: Environment, { reason }: { readonly reason?: string }, now: Date): string {
  const { name, folder, file } = heldBy(env);
  const hold = readHold(folder);
  const since = hold && describeHold(hold, now.getTime());
  if (hold?.kind === "pause") return `${name} is already paused (${since ?? ""}), in ${file}`;
  if (hold)
    throw new UserError(
      `${name} is being cancelled (${since ?? ""}), so there is nothing to pause; take that back with: rollout resume`,
    );
  writeHold(folder, { kind: "pause", ...byMe(now), ...(reason === undefined ? {} : { reason }) });
  return `${name} is paused before the next group, in ${file}; go on with: rollout resume`;
}

/** Lets the next group be rolled. A hold that cannot be read goes as well. */
export function runResume(env: Environment, now: Date): string {
  const { name, folder, file } = heldBy(env);
  const hold = readable(folder);
  if (hold === undefined) return `${name} is not paused (there is no ${file})`;
  clearHold(folder);
  if (hold === "damaged") return `${name} goes on: ${file}, which could not be read, is removed`;
  const was = hold.kind === "pause" ? "was paused" : "was being cancelled";
  const run = lockHolder(folder) === undefined ? "; no run is under way: start one with rollout deploy" : "";
  return `${name} goes on (${was} ${describeHold(hold, now.getTime())})${run}`;
}

/** Ends the run once the group in flight is whole; with `undo` once it is back on its last image. */
export function runCancel(
  env: Environment,
  { undo = false }: { readonly undo?: boolean },
  now: Date,
): string {
  const { name, folder, file } = heldBy(env);
  const hold = readHold(folder);
  const run = lockHolder(folder);
  if (run === undefined)
    return `no run of ${name} is under way on this machine, so there is nothing to cancel; see rollout status`;
  if (hold?.kind === "cancel" && (hold.undo === true) === undo)
    return `${name} is already being cancelled (${describeHold(hold, now.getTime())}), in ${file}`;
  writeHold(folder, { kind: "cancel", ...byMe(now), ...(undo ? { undo } : {}) });
  const when = undo ? "back on its last image" : "whole again";
  return `${name} is being cancelled: ${run.command} (process ${String(run.pid)}) ends once the group in flight is ${when}, in ${file}`;
}

const byMe = (now: Date) => ({ since: now.toISOString(), by: whoRuns() });

function heldBy(env: Environment): { name: string; folder: string; file: string } {
  const { spec, file } = readSpec(env);
  const folder = runFolderOf(file, spec.name);
  return { name: spec.name, folder, file: shownHold(folder) };
}

function readable(folder: string): Hold | "damaged" | undefined {
  try {
    return readHold(folder);
  } catch (error) {
    if (error instanceof UserError) return "damaged";
    throw error;
  }
}
