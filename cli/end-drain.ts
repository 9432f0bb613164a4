import { realClock } from "../clients/clock.js";
import type { Environment } from "../clients/environment.js";
import { findGroup } from "../cluster/find-group.js";
import { endDrain } from "../driver/end-drain.js";
import { inRun } from "../driver/run.js";
import { readSituation, type ReadSituation } from "../program/situation.js";
import { refuseToEdit } from "../rollout/edit/may-edit.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { outOf } from "../rollout/log/roll-facts.js";
import { plainProgress } from "./output/progress.js";

/**
 * Ends the drain of a group that is to be undone and whose work has begun to leave, where that still helps.
 * @returns the situation by then
 */
export async function afterDrain(
  env: Environment,
  situation: ReadSituation,
  name: string,
  toRevision: number | undefined,
): Promise<ReadSituation> {
  const { spec, deployed, events } = situation;
  const last = deployed.groups.get(name)?.revisions.at(-1);
  const isBack = toRevision === undefined || toRevision === last?.number;
  const isOut = outOf(readRuns(events), deployed).some(({ group }) => group === name);
  if (!isOut || !isBack || findGroup(spec, name).hash === last?.hash) return situation;
  refuseToEdit(situation, name, "undone");
  const progress = plainProgress((line) => process.stderr.write(`${line}\n`));
  const command = `rollout undo ${name}`;
  const [confirm, mayFollow] = [() => Promise.resolve(), () => Promise.resolve(true)];
  await inRun({ env, clock: realClock, progress, confirm, command, mayFollow }, (run) => endDrain(run, name));
  return readSituation(env, Date.now());
}
