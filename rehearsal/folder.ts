import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import { isRunning } from "../clients/running.js";

/** Every folder of a rehearsal begins so, and no other. */
const PREFIX = "rollout-rehearsal-";

const markSchema = z.object({ cluster: z.string(), pid: z.int().positive() });

/** Makes one, with the spec of its cluster in it. */
export function makeRehearsalFolder(cluster: string, spec: string): { path: string; runFolder: string } {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(path, MARK), JSON.stringify({ cluster, pid: process.pid }));
  writeFileSync(join(path, "cluster.yaml"), spec);
  const runFolder = runFolderIn(path, cluster);
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  return { path, runFolder };
}

/** All that are there and belong to whoever asks. */
function rehearsalFolders() {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter(isOwnFolder)
    .sort()
    .map((path) => {
      const mark = readMark(path);
      return {
        path,
        // Where the local platform keeps what it knows; none where a start got no further than the folder.
        runFolder: mark && runFolderIn(path, mark.cluster),
        // Of the process that made it, if that still runs.
        pid: mark && isRunning(mark.pid) ? mark.pid : undefined,
      };
    });
}

/** Says that nobody works in it any more, so that it may be removed. */
export function leaveRehearsalFolder(path: string, cluster: string): void {
  writeFileSync(join(path, MARK), JSON.stringify({ cluster, pid: NOBODY }));
}

export function removeRehearsalFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Ends and removes what rehearsals have left, kept or killed; one that still runs is left alone.
 * @param clusterIn the cluster of a run folder
 * @returns a line for each
 */
export async function cleanRehearsals(clusterIn: (runFolder: string) => LocalMachines): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, runFolder, pid } of rehearsalFolders()) {
    if (pid !== undefined) {
      lines.push(`${path} is left alone: its rehearsal runs (process ${String(pid)})`);
      continue;
    }
    if (runFolder !== undefined) await clusterIn(runFolder).stopAll();
    removeRehearsalFolder(path);
    lines.push(`${path} is removed`);
  }
  return lines.length === 0 ? ["no rehearsal has left anything"] : lines;
}

const MARK = "rehearsal.json";

/** No process has so high a number. */
const NOBODY = 2 ** 31 - 1;

const runFolderIn = (path: string, cluster: string): string => join(path, ".rollout", cluster);

/** No link, and not another's: its name alone proves nothing in a folder that everybody may write to. */
function isOwnFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

function readMark(path: string): z.output<typeof markSchema> | undefined {
  try {
    return markSchema.parse(JSON.parse(readFileSync(join(path, MARK), "utf8")));
  } catch {
    return undefined;
  }
}
