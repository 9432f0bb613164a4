import type { Environment } from "../clients/environment.js";
import { undoOf } from "../rollout/edit/undo.js";
import { formatCommit } from "./output/deploy.js";
import { editSpec, refuseExample } from "../program/edit-spec.js";
import { commitCommand } from "../program/commits.js";
import { readSpec } from "../program/read-spec.js";
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
  refuseExample(readSpec(env));
  const situation = await readSituation(env, Date.now());
  const undo = undoOf(situation, group, toRevision);
  for (const warning of undo.warnings) warn(`warning: ${warning}`);
  editSpec(situation.source, new Map([[undo.group, undo.change]]), { isDryRun: dryRun });
  const { shown } = situation.source;
  const next = undo.isRolled ? `npx rollout deploy ${undo.group}` : "nothing has to be rolled for it";
  if (dryRun) return `${undo.message} (dry run: ${shown} is as it was)`;
  const commit = formatCommit(await commitCommand(situation.source));
  return [undo.message, `${shown} is changed; next: ${next}`, ...commit].join("\n");
}
