import type { Environment } from "../clients/environment.js";
import { isForReview } from "../cluster/deployed.js";
import { groupsOf } from "../cluster/groups.js";
import { groupsInPlace } from "../cluster/in-place.js";
import { inFlightOf, isNew, pendingGroups } from "../cluster/pending.js";
import type { Despite } from "../cluster/run/run-log.js";
import { UserError } from "../cluster/user-error.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { rollFacts } from "../rollout/log/roll-facts.js";
import {
  among,
  mayRoll,
  PACE,
  type Reason,
  type ReasonId,
  refusal,
  unfinished,
} from "../rollout/roll/may-roll.js";
import { heldUntil, withLaterWindow } from "../rollout/roll/later-window.js";
import { nextBatch } from "../rollout/roll/next-batch.js";
import { openingAt } from "../rollout/roll/windows.js";
import type { Situation } from "../rollout/status/situation.js";
import type { Held } from "../stacks/view-variables.js";
import type { Program } from "./program.js";
import { readSituation } from "./situation.js";

/** Somebody has said pause or cancel, or no window is open, and nothing of the group has begun. */
export class HeldBack extends UserError {
  override readonly name = "HeldBack";
}

/** What counts where a group is just about to begin. */
export const BEFORE_IT_BEGINS = ["paused", "cancelled", "window"] as const satisfies readonly ReasonId[];

/**
 * @param group absent for the creation of what is new
 * @param ids what counts; default: what somebody has said, since a run waits for a window
 * @throws HeldBack with what comes first
 */
export async function refuseHeld(
  { env, despite }: { readonly env: Environment; readonly despite?: Despite },
  group?: string,
  ids: readonly ReasonId[] = ["paused", "cancelled"],
): Promise<void> {
  const reasons = among(reasonsOf(await readSituation(env, Date.now()), group) ?? [], ...ids);
  const held = reasons.filter(({ id }) => despite?.ids.includes(id) !== true);
  if (held.length > 0) throw new HeldBack(textOf(held, group));
}

/** What holds those groups back that have a view, are to be rolled and have not begun; the run store is asked only for these. */
export async function heldViews(program: Program, env: Environment, now: number): Promise<Map<string, Held>> {
  const { spec, deployed, views } = program;
  const several = new Map(views.flatMap((view) => severalServers(program, view)));
  const groups = [...pendingGroups(spec, deployed), ...groupsInPlace(spec, deployed)];
  const due = groups.filter(({ name }) => views.includes(name));
  if (due.length === 0 || inFlightOf(spec, deployed).length > 0 || isForReview(deployed.origin))
    return several;
  const situation = await readSituation(env, now, program);
  const { windows } = spec.rollout;
  const held = due.flatMap(({ name }): [string, Held][] => {
    const reasons = reasonsOf(situation, name);
    if (!reasons) return [];
    const held = withLaterWindow(reasons, spec, now);
    const until = heldUntil(held);
    const opening = windows && until < Infinity && openingAt(windows, Math.max(now, until));
    const closed = `the window of rollout.windows that this was synthesized for has ended, so ${name} is not rolled; first: synthesize again`;
    const closes = opening && "closes" in opening && { closes: opening.closes, closed };
    if (held.length > 0) return [[name, { until, ...closes, why: textOf(held, name) }]];
    return closes ? [[name, { ...closes, why: closed }]] : [];
  });
  // What holds for ever goes before what ends.
  return new Map([...held, ...several]);
}

/** A view has one apply, and servers go one at a time. */
function severalServers({ spec, deployed }: Program, view: string): [string, Held][] {
  const group = groupsOf(spec).find(({ name }) => name === view);
  const current = deployed.groups.get(view);
  if (!group || group.role === "client" || !current || isNew(current)) return [];
  const next = nextBatch(group, current, { maxUnavailable: 1, platform: spec.platform });
  const { laterHosts, numbers, updated, updating } = next;
  const isProofOwed = updated.length > 0 && updating.length > 0;
  const why = `servers go one at a time, and ${view} has several, so it is not rolled by its view; first: rollout deploy ${view}`;
  return laterHosts.length > 0 || numbers || isProofOwed ? [[view, { until: Infinity, why }]] : [];
}

/** Undefined for a group that has begun, which is finished, whatever holds. */
function reasonsOf(situation: Situation, group?: string): Reason[] | undefined {
  const facts = rollFacts(readRuns(situation.events), situation.deployed);
  if (unfinished(situation, facts).some((each) => each.group === group)) return undefined;
  const groups = group === undefined ? [] : [group];
  return among(mayRoll(situation, groups, { ...situation, facts }), "cancelled", ...PACE);
}

function textOf(held: readonly Reason[], group = "cluster"): string {
  // What the driver has not held itself no resume lets go.
  const own = held.map((each) =>
    each.id === "manual" || each.id === "pause-after" ? { ...each, remedy: `rollout deploy ${group}` } : each,
  );
  const { message } = refusal(own, `${group} is not rolled`);
  const ids = held.map(({ id }) => id);
  return ids.includes("cancelled")
    ? message
    : `${message}, or rollout deploy ${group} --despite ${ids.join(" ")} --reason TEXT`;
}
