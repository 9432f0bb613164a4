import { rmSync } from "node:fs";
import { join } from "node:path";
import { holdSchema, type Hold } from "../../cluster/run/hold.js";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import { readJsonFile } from "../json-file.js";
import { putFile } from "../put-file.js";
import { makeRunFolder } from "./folder.js";

/** Where the hold of a run folder lies. */
export const holdFile = (folder: string): string => join(folder, "hold.json");

/**
 * What keeps the next group from being rolled; undefined where nothing does.
 * @throws UserError where it cannot be read: a hold that nobody understands still holds
 */
export function readHold(folder: string): Hold | undefined {
  const file = holdFile(folder);
  try {
    const damaged = `${file} is damaged, so nothing is rolled; remove it with: rollout resume`;
    return readJsonFile(file, holdSchema, damaged);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${file}: ${codeOf(error)}; make it readable`);
  }
}

/** Puts a hold in place of what was there, whole or not at all. */
export function writeHold(folder: string, hold: Hold): void {
  makeRunFolder(folder);
  const file = holdFile(folder);
  try {
    putFile(file, `${JSON.stringify(holdSchema.parse(hold), null, 2)}\n`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot write ${file}: ${codeOf(error)}; nothing is held by it`);
  }
}

/** Takes the hold away; harmless where there is none. */
export function clearHold(folder: string): void {
  rmSync(holdFile(folder), { force: true });
}
