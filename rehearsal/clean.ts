import type { LocalMachines } from "../clients/local-machines/machines.js";
import { removeRehearsalFolder, rehearsalFolders } from "./folder.js";

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
