import { relative, sep } from "node:path";
import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { holdFile, readHold } from "../clients/run-folder/hold.js";
import { lockHolder } from "../clients/run-folder/lock.js";
import { logFile, readLog } from "../clients/run-folder/log.js";
import type { Situation } from "../rollout/status/situation.js";
import { readDeployed } from "./read-deployed.js";
import { EXAMPLE_IS_USED, readSpec, type SpecFile } from "./read-spec.js";

/** A situation, and where each part of it was read. */
export interface ReadSituation extends Situation {
  readonly source: SpecFile;
  readonly folder: string;
  /** What could not be read of the log. */
  readonly notes: readonly string[];
}

/**
 * Reads spec, state and run folder; no agent is asked.
 * @param now milliseconds since 1970
 * @throws UserError when one of them cannot be read
 */
export async function readSituation(env: Environment, now: number): Promise<ReadSituation> {
  const source = readSpec(env);
  if (source.isExample) console.error(EXAMPLE_IS_USED);
  const folder = runFolderOf(source.file, source.spec.name);
  const { events, notes } = readLog(folder);
  return {
    source,
    folder,
    spec: source.spec,
    deployed: await readDeployed(source, env),
    hold: readHold(folder),
    run: lockHolder(folder),
    events,
    notes,
    at: now,
  };
}

/** A file of a run folder as the user would write it: from here where it lies below. */
const shownFrom = (file: string): string => {
  const path = relative(process.cwd(), file);
  return path === "" || path === ".." || path.startsWith(`..${sep}`) ? file : path;
};

export const shownLog = (folder: string): string => shownFrom(logFile(folder));
export const shownHold = (folder: string): string => shownFrom(holdFile(folder));
