import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseGroupName } from "../cluster/address.js";
import { setGroups, type GroupChange } from "../cluster/yaml/edit.js";
import { UserError } from "../cluster/user-error.js";
import { isOfProgram } from "./run-program.js";
import { sha256 } from "../cluster/sha256.js";
import type { UserDataFile } from "../cluster/template-hash.js";
import { filesIn, type SpecFile } from "./read-spec.js";
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
  { spec, file, shown }: Pick<SpecFile, "spec" | "file" | "shown">,
  changes: ReadonlyMap<string, GroupChange>,
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): boolean {
  const text = readFileSync(file, "utf8");
  for (const { userData } of changes.values()) if (userData) refuseOther(file, userData);
  const edited = setGroups(text, shown, changes, spec);
  if (isDryRun || edited === text) return edited !== text;
  if (readFileSync(file, "utf8") !== text)
    throw new UserError(`${shown} was edited at this very moment; nothing was overwritten: run this again`);
  rewriteFile(file, edited);
  return true;
}

/** A record names a file and the text that it had, and only the file can be put back here. */
function refuseOther(specFile: string, { file, sha256: wanted }: UserDataFile): void {
  const found = filesIn(dirname(specFile))(file);
  if (typeof found !== "string" && sha256(found) === wanted) return;
  const is = typeof found === "string" ? found : "it has another text by now";
  throw new UserError(
    `${file} is not what the group's machines were made with: ${is}; put it back as it was, such as: git checkout COMMIT -- ${file}, and run this again`,
  );
}

/** `images[2] of broker`, `images of broker` or `images`: what of an array a group, a pool or nobody in particular has. */
export function elementOf(key: string, target = ""): string {
  const group = parseGroupName(target);
  if (group) return `${key}[${String(group.index)}] of ${group.pool}`;
  return target === "" ? key : `${key} of ${target}`;
}
