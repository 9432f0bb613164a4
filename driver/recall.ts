import { readHold } from "../clients/run-store/hold.js";
import { takeBack } from "../rollout/edit/take-back.js";
import { findGroup } from "../cluster/find-group.js";
import { Interruption } from "../cluster/interruption.js";
import { HeldBack } from "../program/held.js";
import { readCluster } from "../program/read-deployed.js";
import { readSpecAsFound } from "../program/read-spec.js";
import { deployGroup } from "./deploy-group.js";
import type { GroupResult } from "./deploy-result.js";
import type { Run } from "./run.js";

/** How soon it is seen that somebody wants the group back. */
const EVERY_MS = 1000;

/**
 * Rolls one group as {@link deployGroup} does, and stops as at Ctrl-C where `rollout cancel --undo` is said meanwhile: a
 * gate may take hours that is not to be passed any more.
 * @returns undefined where it was stopped so, or held before anything was begun; what is to be done then is decided from a new look
 */
export async function deployUnlessRecalled(run: Run, group: string): Promise<GroupResult | undefined> {
  const [recall, ended] = [new AbortController(), new AbortController()];
  const watching = watch(run, group, ended.signal).then((isRecalled) => {
    if (isRecalled) recall.abort(new Interruption("cancelled"));
  });
  try {
    return await deployGroup({ ...run, stop: AbortSignal.any([run.stop, recall.signal]) }, group);
  } catch (error) {
    if ((recall.signal.aborted || error instanceof HeldBack) && !run.stop.aborted) return undefined;
    throw error;
  } finally {
    ended.abort();
    await watching;
  }
}

/** Whether the group came to be wanted back before its roll ended. */
async function watch(run: Run, group: string, ended: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      await run.clock.pause(EVERY_MS, ended);
      if (await isWantedBack(run, group)) return true;
    } catch {
      if (ended.aborted) return false;
      // A state that is just being written, or a hold that nobody understands: it is looked at again.
    }
  }
}

/** A group that is on its way back already is not stopped again. */
async function isWantedBack({ env, store, clock }: Run, name: string): Promise<boolean> {
  const hold = await readHold(store, clock.now());
  if (hold?.kind !== "cancel" || hold.undo !== true) return false;
  const { spec, deployed } = await readCluster(env, readSpecAsFound(env));
  const current = deployed.groups.get(name);
  return current !== undefined && takeBack(findGroup(spec, name), current, true) !== undefined;
}
