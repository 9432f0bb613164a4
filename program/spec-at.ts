import { fileAtRevision } from "../clients/git.js";
import { UserError } from "../cluster/user-error.js";
import { loadSpec } from "../cluster/yaml/load.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { userDataFiles, withUserData } from "../cluster/yaml/user-data-files.js";

/**
 * A spec as it was committed at a revision, with the files that it names as they were.
 * @param shown what errors call the spec; default: its path
 * @throws UserError where one of them was not there, or is wrong
 */
export async function specAt(file: string, rev: string, shown = file): Promise<Spec> {
  const where = shown === file ? file : `${rev}:${shown}`;
  const spec = loadSpec(await fileAtRevision(file, rev, shown), where);
  const contents = new Map<string, Uint8Array | string>();
  for (const path of userDataFiles(spec))
    contents.set(path, await fileAtRevision(file, rev, path, path).catch(reasonOf));
  return withUserData(spec, where, (path) => contents.get(path) ?? "it was not read");
}

function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}
