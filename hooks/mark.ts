import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { textIfThere } from "../clients/json-file.js";
import { putFile } from "../clients/put-file.js";
import { whoRuns } from "../clients/run-folder/folder.js";
import { parseGroupName, parseHostName } from "../cluster/address.js";
import { groupsOf, type Group } from "../cluster/groups.js";
import { MARK_ENVIRONMENT, MARKS } from "../cluster/hooks/variables.js";
import type { RollRecord } from "../cluster/revision.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Tell `ready` which command rolls its group, and how. Set by nobody but the driver, for one apply. */
const [COMMAND, HOW] = ["ROLLOUT_COMMAND", "ROLLOUT_HOW"];

/** @param maxUnavailable Infinity: all machines of the group at once */
export const tellRoll = (command: string, maxUnavailable: number): Readonly<Record<string, string>> => ({
  [COMMAND]: command,
  [HOW]: Number.isFinite(maxUnavailable) ? `${String(maxUnavailable)} at a time` : "at once",
});

/** Notes when the roll of a group to its template has begun, unless that stands there already. */
export function noteBegun(folder: string, { name, hash }: Pick<Group, "name" | "hash">): void {
  if (begunIn(folder, name)?.startsWith(`${hash} `)) return;
  mkdirSync(join(folder, MARKS), { recursive: true });
  putFile(begunFile(folder, name), `${hash} ${new Date().toISOString()}`);
}

const begunFile = (folder: string, group: string): string => join(folder, MARKS, `begun-${group}`);

const begunIn = (folder: string, group: string): string | undefined => textIfThere(begunFile(folder, group));

/** The group that a hook belongs to, as its stack was made from. */
export function groupOfHook(
  { spec }: Pick<HookContext["file"], "spec">,
  { subject }: Pick<HookArgs, "subject">,
): Group | undefined {
  const name = parseHostName(subject)?.group ?? (parseGroupName(subject) ? subject : undefined);
  return groupsOf(spec).find((group) => group.name === name);
}

/**
 * Says in the folder of the stack that a create hook has ended; that of `ready` says how the roll was, too. A hook that
 * Terraform did not call leaves none.
 */
export function leaveMark(
  { env, file, folder }: Pick<HookContext, "env" | "file" | "folder">,
  args: Pick<HookArgs, "hook" | "subject">,
): void {
  const id = env[MARK_ENVIRONMENT];
  if (id === undefined || !/^[0-9A-Za-z-]+$/.test(id)) return;
  mkdirSync(join(folder, MARKS), { recursive: true });
  const group = args.hook === "ready" ? groupOfHook(file, args) : undefined;
  putFile(join(folder, MARKS, id), group ? JSON.stringify(rollOf(group, { env, file, folder })) : "");
}

function rollOf(
  { name }: Group,
  { env, file, folder }: Pick<HookContext, "env" | "file" | "folder">,
): RollRecord {
  const ended = new Date().toISOString();
  const [command, how = "by Terraform alone"] = [env[COMMAND], env[HOW]];
  return {
    ...(file.commit === undefined ? {} : { commit: file.commit }),
    ...(command === undefined ? {} : { command }),
    by: whoRuns(),
    begun: begunIn(folder, name)?.split(" ")[1] ?? ended,
    ended,
    how,
  };
}
