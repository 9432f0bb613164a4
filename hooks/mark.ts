import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { textIfThere } from "../clients/json-file.js";
import { putFile } from "../clients/put-file.js";
import { whoRuns } from "../clients/who-runs.js";
import { parseHostName } from "../cluster/address.js";
import { describePace, type GateSettings } from "../cluster/gate-settings.js";
import { groupsOf, type Group } from "../cluster/groups.js";
import { GATE_ENVIRONMENT, MARK_ENVIRONMENT, MARKS } from "../cluster/hooks/variables.js";
import type { RollRecord } from "../cluster/revision.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Tell `ready` which command rolls its group, and how. Set by nobody but the driver, for one apply. */
const [COMMAND, HOW] = ["ROLLOUT_COMMAND", "ROLLOUT_HOW"];

export const tellRoll = (
  command: string,
  pace: Pick<GateSettings, "maxSurge" | "maxUnavailable">,
): Readonly<Record<string, string>> => ({ [COMMAND]: command, [HOW]: describePace(pace) });

/** Notes when the roll of a group to its template has begun, unless that stands there already. Its gate ends it. */
export function noteBegun(folder: string, { name, hash }: Pick<Group, "name" | "hash">): void {
  if (begunIn(folder, name)?.startsWith(`${hash} `)) return;
  putMark(folder, begunName(name), `${hash} ${new Date().toISOString()}`);
}

const begunName = (group: string): string => `begun-${group}`;

/** The hash of the template and the time, of a roll that has begun and not ended. */
export const begunIn = (folder: string, group: string): string | undefined =>
  textIfThere(join(folder, MARKS, begunName(group)));

/** Notes that work of a group has begun to leave, for its template. Its gate ends it. */
export const noteLeaving = (folder: string, { name, hash }: Pick<Group, "name" | "hash">): void => {
  putMark(folder, leavingName(name), hash);
};

export const isLeaving = (folder: string, { name, hash }: Pick<Group, "name" | "hash">): boolean =>
  textIfThere(join(folder, MARKS, leavingName(name))) === hash;

const leavingName = (group: string): string => `leaving-${group}`;

function putMark(folder: string, name: string, text: string): void {
  mkdirSync(join(folder, MARKS), { recursive: true });
  putFile(join(folder, MARKS, name), text);
}

/** The group that a hook belongs to, as its stack was made from. */
export function groupOfHook(
  { spec }: Pick<HookContext["file"], "spec">,
  { subject }: Pick<HookArgs, "subject">,
): Group | undefined {
  const name = parseHostName(subject)?.group ?? subject;
  return groupsOf(spec).find((group) => group.name === name);
}

type Stack = Pick<HookContext, "env" | "file" | "folder">;

/**
 * Says in the folder of the stack that a create hook has ended. A hook that Terraform did not call leaves none.
 * @param rolled the group of a `ready`, whose mark says how its roll was, too
 */
export function leaveMark(stack: Stack, rolled: Group | undefined): void {
  const id = stack.env[MARK_ENVIRONMENT];
  if (id === undefined || !/^[0-9A-Za-z-]+$/.test(id)) return;
  putMark(stack.folder, id, rolled ? JSON.stringify(rollOf(rolled, stack)) : "");
  if (rolled && stack.env[GATE_ENVIRONMENT] === "open")
    for (const name of [begunName(rolled.name), leavingName(rolled.name)])
      rmSync(join(stack.folder, MARKS, name), { force: true });
}

function rollOf({ name }: Group, { env, file, folder }: Stack): RollRecord {
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
