import type { Environment } from "../clients/environment.js";
import { refusedByState } from "../guard/refused-by-state.js";
import { type RefusalsOf, statusOf, statusSchema, type Status } from "../rollout/status/status.js";
import { offeredViews } from "../rollout/roll/views.js";
import { findGroup } from "../cluster/find-group.js";
import { formatStatus } from "./output/status.js";
import { realClock } from "../clients/clock.js";
import { onSignals } from "../clients/signals.js";
import { uncommittedGroups } from "../program/commits.js";
import { findSpec } from "../program/read-spec.js";
import { readSituation } from "../program/situation.js";
import { watchStatus, type WatchArgs } from "./watch-status.js";

export interface StatusArgs {
  readonly format: "text" | "json";
  /** The phase of one group instead of the cluster's. */
  readonly group?: string | undefined;
}

/** Shows what the cluster is, which group runs what and what comes next. Reads state and run store, asks no agent. */
export async function runStatus(env: Environment, { format, group }: StatusArgs) {
  const { status, where } = await readStatus(env, Date.now(), group);
  const text = format === "json" ? JSON.stringify(status, null, 2) : formatStatus(status, where);
  return { text, isHealthy: status.phase === "healthy" };
}

/** Watches until the roll has ended. Every line is printed as soon as it is known. */
export async function runWatch(
  env: Environment,
  args: WatchArgs,
  say: (line: string) => void,
): Promise<void> {
  const { spec } = findSpec(env);
  const ending = new AbortController();
  const stopHearing = onSignals(() => {
    ending.abort();
  });
  const read = async (now: number): Promise<Status> => (await readStatus(env, now, args.group)).status;
  try {
    const intervalMs = spec.backend.type === "local" ? 2_000 : 10_000;
    await watchStatus({ read, clock: realClock, intervalMs, say, signal: ending.signal }, args);
  } finally {
    stopHearing();
  }
}

/** @param now milliseconds since 1970 */
async function readStatus(
  env: Environment,
  now: number,
  group?: string,
): Promise<{ readonly status: Status; readonly where: string }> {
  const situation = await readSituation(env, now);
  if (group !== undefined) findGroup(situation.spec, group);
  for (const note of situation.notes) console.error(note);
  const views = offeredViews(situation.spec, situation.deployed, env["ROLLOUT_GROUP"]);
  const { spec, deployed, where, source } = situation;
  const uncommitted = await uncommittedGroups({ ...source, spec }, deployed);
  const refusalsOf: RefusalsOf = (name) => refusedByState(spec, deployed, name);
  return {
    status: statusSchema.parse(statusOf({ ...situation, uncommitted }, views, group, refusalsOf)),
    where,
  };
}
