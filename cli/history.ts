import type { Environment } from "../clients/environment.js";
import { historyOf, historySchema, notInHistory, type Attempt } from "../rollout/log/history.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { findGroup } from "../cluster/find-group.js";
import { groupsOf } from "../cluster/groups.js";
import { readSituation } from "../program/situation.js";
import { formatHistories } from "./output/history.js";

export interface HistoryArgs {
  readonly format: "text" | "json";
  /** Default: all groups. */
  readonly group?: string | undefined;
  /** One of the group's, in full. */
  readonly revision?: number;
}

/** Shows what each group ran, oldest first. Reads state and log, asks no agent. */
export async function runHistory(
  env: Environment,
  { format, group, revision }: HistoryArgs,
): Promise<string> {
  const { spec, deployed, events, notes } = await readSituation(env, Date.now());
  for (const note of notes) console.error(note);
  const names = group === undefined ? groupsOf(spec).map(({ name }) => name) : [findGroup(spec, group).name];
  const runs = readRuns(events);
  const shown = names.map((name) => {
    const current = deployed.groups.get(name);
    const attempts = current ? historyOf(current, runs) : [];
    return { name, attempts: revision === undefined ? attempts : onlyRevision(name, attempts, revision) };
  });
  if (format === "json") {
    const all = historySchema.parse(shown.flatMap(({ attempts }) => attempts));
    return JSON.stringify(all, null, 2);
  }
  return formatHistories(shown, revision !== undefined);
}

/** @throws UserError that says which there are */
function onlyRevision(group: string, attempts: readonly Attempt[], revision: number): Attempt[] {
  const found = attempts.filter((attempt) => attempt.revision === revision);
  if (found.length > 0) return found;
  throw notInHistory(
    group,
    revision,
    attempts.map((attempt) => attempt.revision),
  );
}
