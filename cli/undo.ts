import { randomUUID } from "node:crypto";
import type { Environment } from "../clients/environment.js";
import { realClock } from "../clients/clock.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { setGoal } from "../clients/run-store/goal.js";
import { logNameOf, LogWriter } from "../clients/run-store/run-log.js";
import { whoRuns } from "../clients/who-runs.js";
import type { Despite } from "../cluster/run/run-log.js";
import { downgradeIn } from "../live/downgrade.js";
import { openRunStore } from "../program/run-store.js";
import { despiteIn, type DespiteOptions } from "./verb.js";
import { undoOf, undoRoll, type Undo } from "../rollout/edit/undo.js";
import { formatCommit } from "./output/deploy.js";
import { afterDrain } from "./end-drain.js";
import { editSpec, refuseUneditable } from "../program/edit-spec.js";
import { findTargets } from "../cluster/find-group.js";
import { UserError } from "../cluster/user-error.js";
import { commitCommand } from "../program/commits.js";
import { warnOfMachines } from "../program/new-machine.js";
import { findSpec, type SpecFile } from "../program/read-spec.js";
import { readSituation } from "../program/situation.js";
import type { Situation } from "../rollout/status/situation.js";

export interface UndoArgs extends DespiteOptions {
  /** A group or a pool; absent for all groups. */
  readonly target?: string | undefined;
  readonly all?: boolean;
  /** Of a group. Default: the last of another template. */
  readonly toRevision?: number;
  readonly dryRun?: boolean;
}

/**
 * Takes a group, or the last roll of several, back to an earlier revision in the spec. It is an edit like any other, seen in
 * review; the roll is `rollout deploy`'s, with its plan and its confirmation.
 * @param warn prints on standard error
 */
export async function runUndo(
  env: Environment,
  { target, all = false, toRevision, dryRun = false, ...options }: UndoArgs,
  warn: (line: string) => void,
): Promise<string> {
  const given = findSpec(env);
  if (!dryRun || given.isExample)
    refuseUneditable(given, `what is said by rollout undo ${target ?? "--all"} --dry-run`);
  const seen = await readSituation(env, Date.now());
  const { source, spec } = seen;
  for (const note of seen.notes) warn(note);
  const despite = despiteIn(options);
  const names = findTargets(spec, { target, all }, "undo");
  const isOne = names.length === 1;
  if (toRevision !== undefined && !isOne)
    throw new UserError(
      "--to-revision is that of a group; name it: rollout undo broker-1 --to-revision 16",
      2,
    );
  const back = (from: Situation) =>
    isOne ? { undos: names.map((name) => undoOf(from, name, toRevision)), later: [] } : undoRoll(from, names);
  // No drain is ended for an undo that the spec cannot hold.
  editSpec(source, changesOf(back(seen).undos), { isDryRun: true });
  let situation = seen;
  for (const name of dryRun ? [] : names) situation = await afterDrain(env, situation, name, toRevision);
  const { undos, later } = back(situation);
  const asked = { env, folder: runFolderOf(source.file, spec.name) };
  for (const { group, change } of undos.filter(({ isRolled }) => isRolled)) {
    const why = await downgradeIn(situation, group, change.image, asked);
    if (why === undefined) continue;
    if (!despite) throw new UserError(`${why}; to do it all the same: --despite downgrade --reason TEXT`);
    if (!dryRun) await record(source, `rollout undo ${group}`, despite);
  }
  for (const warning of undos.flatMap(({ warnings }) => warnings)) warn(`warning: ${warning}`);
  const changes = changesOf(undos);
  editSpec(source, changes, { isDryRun: dryRun });
  for (const line of await warnOfMachines(spec, changes)) warn(line);
  const { shown } = source;
  const { goal } = situation;
  const isGoalBack = undos.some(
    ({ group, from }) => goal?.groups.includes(group) && from.image === goal.image,
  );
  if (goal && isGoalBack && !dryRun) {
    await setGoal(await openRunStore(source), undefined);
    warn(`given up with it: ${goal.command}`);
  }
  const messages = undos.map(({ message }) => message);
  if (dryRun) return `${messages.join("\n")} (dry run: ${shown} is as it was)`;
  const what = all ? "--all" : (target ?? "");
  const groups = undos.length === 1 ? (undos[0]?.group ?? "") : what;
  const next = undos.some(({ isRolled }) => isRolled)
    ? `npx rollout deploy ${groups}`
    : "nothing has to be rolled for it";
  const more =
    later.length === 0 ? "" : `, then once more: npx rollout undo ${what} (still ${later.join(", ")})`;
  const commit = formatCommit(await commitCommand(source));
  return [...messages, `${shown} is changed; next: ${next}${more}`, ...commit].join("\n");
}

const changesOf = (undos: readonly Undo[]): ReadonlyMap<string, Undo["change"]> =>
  new Map(undos.map(({ group, change }) => [group, change]));

/** Who has overridden what, and why, stands in the log of runs. */
async function record(source: SpecFile, command: string, { ids, reason }: Despite): Promise<void> {
  const [at, run] = [new Date().toISOString(), randomUUID().slice(0, 8)];
  const log = new LogWriter(await openRunStore(source), realClock, logNameOf(at, run));
  const despite = [...ids];
  await log.add({ at, run, event: "run-started", command, by: whoRuns(), despite, reason });
  await log.add({
    at,
    run,
    event: "run-ended",
    result: "ok",
    seconds: 0,
    message: `despite ${ids.join(", ")}: ${reason}`,
  });
}
