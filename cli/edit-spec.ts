import { readFileSync } from "node:fs";
import { setGroups, type GroupChange } from "../spec/edit.js";
import { UserError } from "../spec/user-error.js";
import type { SpecFile } from "./read-spec.js";
import { writeBeside } from "./write-beside.js";

/** @throws UserError for the example, which is nobody's cluster */
export function refuseExample({ isExample }: Pick<SpecFile, "isExample">): void {
  if (!isExample) return;
  throw new UserError(
    "there is no cluster.yaml; copy cluster.example.yaml to cluster.yaml first, or name a spec by CLUSTER=FILE",
    2,
  );
}

/** Gives one group of the spec another image or generation; comments and layout stay. */
export function editSpec(
  { file, shown }: Pick<SpecFile, "file" | "shown">,
  group: string,
  change: GroupChange,
  { isDryRun }: { readonly isDryRun: boolean },
): void {
  const edited = setGroups(readFileSync(file, "utf8"), shown, new Map([[group, change]]));
  if (!isDryRun) writeBeside(file, edited);
}
