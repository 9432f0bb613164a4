import type { Environment } from "../clients/environment.js";
import { undoOf, undoRoll } from "../rollout/edit/undo.js";
import { formatCommit } from "./output/deploy.js";
import { editSpec, refuseExample } from "../program/edit-spec.js";
import { findTargets } from "../cluster/find-group.js";
import { UserError } from "../cluster/user-error.js";
import { commitCommand } from "../program/commits.js";
import { readSpec } from "../program/read-spec.js";
import { readSituation } from "../program/situation.js";

export interface UndoArgs {
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
  { target, all = false, toRevision, dryRun = false }: UndoArgs,
  warn: (line: string) => void,
): Promise<string> {
  refuseExample(readSpec(env));
  const situation = await readSituation(env, Date.now());
  const { source, spec } = situation;
  const names = findTargets(spec, { target, all }, "undo");
  const isOne = names.length === 1;
  if (toRevision !== undefined && !isOne)
    throw new UserError(
      "--to-revision is that of a group; name it: rollout undo broker-1 --to-revision 16",
      2,
    );
  const { undos, later } = isOne
    ? { undos: names.map((name) => undoOf(situation, name, toRevision)), later: [] }
    : undoRoll(situation, names);
  for (const warning of undos.flatMap(({ warnings }) => warnings)) warn(`warning: ${warning}`);
  const changes = new Map(undos.map(({ group, change }) => [group, change]));
  editSpec(source, changes, { isDryRun: dryRun });
  const { shown } = source;
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
