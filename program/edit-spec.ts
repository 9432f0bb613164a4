import { readFileSync } from "node:fs";
import { parseGroupName } from "../cluster/address.js";
import { setGroups, type GroupChange } from "../cluster/yaml/edit.js";
import { UserError } from "../cluster/user-error.js";
import { isOfProgram } from "./run-program.js";
import type { SpecFile } from "./read-spec.js";
import { rewriteFile } from "../clients/put-file.js";

/** @throws UserError for the example, which is nobody's cluster, and for what a program declares, whose code nobody edits */
export function refuseUneditable(
  source: Pick<SpecFile, "isExample" | "file">,
  key: keyof GroupChange = "image",
  name = "",
): void {
  const group = parseGroupName(name);
  const element = `${key}s[${group ? String(group.index) : "the group's number"}] of ${group?.pool ?? "its pool"}`;
  if (isOfProgram(source))
    throw new UserError(
      `a program declares this cluster, and nobody edits its code: set ${element} there, then: rollout deploy ${group ? name : "GROUP"}`,
      2,
    );
  if (!source.isExample) return;
  throw new UserError(
    "there is no cluster.yaml in this folder, so there is nothing to edit; go to its folder, or name it by CLUSTER=FILE",
    2,
  );
}

/**
 * Gives groups of the spec another image or generation; comments and layout stay byte for byte. What somebody else writes
 * meanwhile is not overwritten.
 * @returns whether that changes anything
 * @throws UserError where somebody else has written
 */
export function editSpec(
  { file, shown }: Pick<SpecFile, "file" | "shown">,
  changes: ReadonlyMap<string, GroupChange>,
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): boolean {
  const text = readFileSync(file, "utf8");
  const edited = setGroups(text, shown, changes);
  if (isDryRun || edited === text) return edited !== text;
  if (readFileSync(file, "utf8") !== text)
    throw new UserError(`${shown} was edited at this very moment; nothing was overwritten: run this again`);
  rewriteFile(file, edited);
  return true;
}
