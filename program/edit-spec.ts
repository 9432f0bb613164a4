import { readFileSync } from "node:fs";
import { parseGroupName } from "../cluster/address.js";
import { setGroups, type GroupChange } from "../cluster/yaml/edit.js";
import { UserError } from "../cluster/user-error.js";
import { isOfProgram } from "./run-program.js";
import type { SpecFile } from "./read-spec.js";
import { rewriteFile } from "../clients/put-file.js";

/**
 * @param what is to be set where a program declares the cluster, such as `images[2] of broker`
 * @throws UserError for the example, which is nobody's cluster, and for what a program declares
 */
export function refuseUneditable(source: Pick<SpecFile, "isExample" | "file">, what: string): void {
  if (isOfProgram(source))
    throw new UserError(`a program declares this cluster, and no verb edits its code: set ${what} there`, 2);
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

/** `images[2] of broker`, `images of broker` or `images`: what of an array a group, a pool or nobody in particular has. */
export function elementOf(key: string, target = ""): string {
  const group = parseGroupName(target);
  if (group) return `${key}[${String(group.index)}] of ${group.pool}`;
  return target === "" ? key : `${key} of ${target}`;
}
