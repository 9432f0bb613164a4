import { dirname, join } from "node:path";
import { isUncommitted, type Commit } from "../clients/git.js";
import type { Deployed, DeployedGroup } from "../cluster/deployed.js";
import { groupsOf, type Group } from "../cluster/groups.js";
import { deployedHash } from "../cluster/pending.js";
import { withRecordedSizes } from "../cluster/recorded-sizes.js";
import { makesTheSame, templateOf, UNREAD } from "../cluster/template-hash.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { userDataFiles } from "../cluster/yaml/user-data-files.js";
import { templateIn } from "../rollout/edit/take-back.js";
import { changesOf } from "../rollout/log/history.js";
import type { SpecFile } from "./read-spec.js";
import { specAt } from "./spec-at.js";

type Source = Pick<SpecFile, "spec" | "file">;

/** Why groups are as the spec has them: the commit that brought their template, else what the edit is that no commit has. */
export async function causesOf(
  { spec, file }: Source,
  deployed: Deployed,
  names: readonly string[],
  commits: readonly Commit[],
): Promise<ReadonlyMap<string, string>> {
  const asked = groupsOf(spec).filter(({ name }) => names.includes(name));
  const causes = new Map<string, string>();
  let open = asked;
  for (const { commit, cause } of commits) {
    if (open.length === 0) break;
    const hashes = hashesIn(await specOnce(file, commit), deployed);
    open = open.filter(({ name, hash }) => hashes.get(name) === hash);
    for (const { name } of open) causes.set(name, cause);
  }
  for (const group of asked) {
    const current = deployed.groups.get(group.name);
    const cause = causes.get(group.name);
    // An undo may be the commit of an earlier revision once more, to the byte.
    if (current && (cause === undefined || current.revisions.some((each) => each.cause === cause)))
      causes.set(group.name, editOf(group, current));
  }
  return causes;
}

/** `uncommitted: set image`, `undo of 15` */
function editOf(group: Group, current: DeployedGroup): string {
  const { revisions } = current;
  const last = revisions.at(-1);
  if (!last) return "uncommitted";
  const now = templateIn(last, group, current);
  if (makesTheSame(now, group)) return `uncommitted: revision ${String(last.number)} again`;
  if (revisions.some((each) => makesTheSame(templateIn(each, group, current), group)))
    return `undo of ${String(last.number)}`;
  const changes = changesOf(now, templateOf(group)).map((each) => each.split(" ")[0]);
  return `uncommitted: set ${changes.join(", ")}`;
}

/** The groups that run what the spec says and its last commit does not. */
export async function uncommittedGroups({ spec, file }: Source, deployed: Deployed): Promise<string[]> {
  if (!(await isUncommitted(file, userDataFiles(spec)))) return [];
  const hashes = hashesIn(await specOrNone(file, "HEAD"), deployed);
  return groupsOf(spec).flatMap(({ name, hash }) =>
    deployedHash(deployed.groups.get(name)) === hash && hashes.get(name) !== hash ? [name] : [],
  );
}

/** What commits a spec that its last commit has otherwise; null for one that is committed, or is not kept in git. */
export async function commitCommand({
  spec,
  file,
  shown,
}: Pick<SpecFile, "spec" | "file" | "shown">): Promise<string | null> {
  const also = userDataFiles(spec).filter((path) => spec.userData?.[path] !== UNREAD);
  const files = [shown, ...also.map((path) => join(dirname(shown), path))];
  return (await isUncommitted(file, also)) ? `git add ${files.join(" ")} && git commit` : null;
}

/** A commit says the same for ever, and a roll asks for the causes again with every look. */
function specOnce(file: string, commit: string): ReturnType<typeof specOrNone> {
  const key = `${commit}:${file}`;
  const found = seen.get(key) ?? specOrNone(file, commit);
  seen.set(key, found);
  return found;
}

const seen = new Map<string, ReturnType<typeof specOrNone>>();

/** Undefined for a commit that does not have the file, or has one that is no spec. */
async function specOrNone(file: string, commit: string): Promise<Spec | undefined> {
  try {
    return await specAt(file, commit);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

const hashesIn = (spec: Spec | undefined, deployed: Deployed): ReadonlyMap<string, string> =>
  new Map(spec ? groupsOf(withRecordedSizes(spec, deployed)).map(({ name, hash }) => [name, hash]) : []);
