import type { Environment } from "../clients/environment.js";
import { undoOf } from "../rollout/edit/undo.js";
import { afterDrain } from "./end-drain.js";
import { editSpec, refuseExample } from "../program/edit-spec.js";
import { readSituation } from "../program/situation.js";

export interface UndoArgs {
  readonly group: string;
  /** Default: the revision before. */
  readonly toRevision?: number;
  readonly dryRun?: boolean;
}

/**
 * Takes a group's image in the spec back to an earlier revision's. It is an edit like any other, seen in review; the roll
 * is `rollout deploy`'s, with its plan and its confirmation.
 * @param warn prints on standard error
 */
export async function runUndo(
  env: Environment,
  { group, toRevision, dryRun = false }: UndoArgs,
  warn: (line: string) => void,
): Promise<string> {
  const seen = await readSituation(env, Date.now());
  refuseExample(seen.source);
  const situation = dryRun ? seen : await afterDrain(env, seen, group, toRevision);
  const undo = undoOf(situation, group, toRevision);
  if (undo.kind === "nothing") return undo.message;
  for (const warning of undo.warnings) warn(`warning: ${warning}`);
  editSpec(situation.source, new Map([[undo.group, undo.change]]), { isDryRun: dryRun });
  const { shown } = situation.source;
  const next = undo.isRolled ? `npx rollout deploy ${undo.group}` : "nothing has to be rolled for it";
  return dryRun
    ? `${undo.message} (dry run: ${shown} is as it was)`
    : `${undo.message}\n${shown} is changed; next: ${next}`;
}
