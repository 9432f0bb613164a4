import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { setGoal } from "../clients/run-store/goal.js";
import { changeHold, readHold } from "../clients/run-store/hold.js";
import { endGone, lockHolder } from "../clients/run-store/run-lock.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import { whoRuns } from "../clients/who-runs.js";
import { describeHold, formatTime } from "../rollout/log/time.js";
import type { Hold } from "../cluster/run/hold.js";
import { UserError } from "../cluster/user-error.js";
import { refuseUneditable } from "../program/edit-spec.js";
import { findSpec } from "../program/read-spec.js";
import { openRunStore } from "../program/run-store.js";

/**
 * Holds the next group back, whoever rolls it and where; the one in flight is finished. It takes the place of a pause that ends
 * earlier, without a moment in between in which a group could begin.
 * @throws UserError where what holds already ends later, or is a cancel
 */
export async function runPause(
  env: Environment,
  { reason, until }: { readonly reason?: string; readonly until?: string },
  now: Date,
): Promise<string> {
  const at = now.getTime();
  const ends = until === undefined ? undefined : timeOf(until, at);
  const { name, store } = await heldBy(env);
  const mine: Hold = {
    ...{ kind: "pause", ...byMe(now) },
    ...(reason === undefined ? {} : { reason }),
    ...(ends === undefined ? {} : { until: ends }),
  };
  let before: Hold | undefined;
  // A cancel has no end, so it stays.
  const isTaken = (hold: Hold | undefined): boolean => hold === undefined || endOf(mine) > endOf(hold);
  await changeHold(store, at, (hold) => (isTaken((before = hold)) ? mine : hold));
  const since = before && describeHold(before, at);
  if (before && !isTaken(before)) {
    if (before.kind === "cancel")
      throw new UserError(
        `${name} is being cancelled (${since ?? ""}), so there is nothing to pause; take that back with: rollout resume`,
      );
    if (endOf(mine) < endOf(before))
      throw new UserError(
        `${name} is already paused (${since ?? ""}), and that is kept; to change it: rollout resume, and this again`,
      );
    return `${name} is already paused (${since ?? ""}), in ${store.where}`;
  }
  const end = ends === undefined ? "" : ` until ${formatTime(ends, at)}`;
  const instead = since === undefined ? "" : `, in place of the shorter pause (${since})`;
  return `${name} is paused before the next group${end}, in ${store.where}${instead}; go on${ends === undefined ? "" : " before that"} with: rollout resume`;
}

/** Lets the next group be rolled. A hold that cannot be read goes as well. */
export async function runResume(env: Environment, now: Date): Promise<string> {
  const { name, store } = await heldBy(env);
  const hold = await readable(store, now.getTime());
  if (hold === undefined) return `${name} is not paused (nothing holds it in ${store.where})`;
  await changeHold(store, now.getTime(), () => undefined, true);
  if (hold === "damaged")
    return `${name} goes on: its hold in ${store.where}, which could not be read, is removed`;
  const was = hold.kind === "pause" ? "was paused" : "was being cancelled";
  const isAlone = (await lockHolder(store)) === undefined;
  const run = isAlone ? "; no run is under way: start one with rollout deploy" : "";
  return `${name} goes on (${was} ${describeHold(hold, now.getTime())})${run}`;
}

/** Ends the run once the group in flight is whole; with `undo` once it is back on its last image. */
export async function runCancel(
  env: Environment,
  { undo = false }: { readonly undo?: boolean },
  now: Date,
): Promise<string> {
  if (undo) refuseUneditable(findSpec(env), "what is said by rollout undo GROUP --dry-run");
  const { name, store } = await heldBy(env);
  const gone = await endGone(store);
  const run = gone ? undefined : await lockHolder(store);
  // A run that is under way gives its goal up itself, once it has ended so.
  const goal = run ? undefined : await setGoal(store, undefined);
  if (gone)
    return `${name}: the run that ended without a word is given up (${gone.command}, by ${gone.by}); see rollout status for what it has begun`;
  if (goal)
    return `${name}: what was to be rolled is given up (${goal.command}, by ${goal.by}); see rollout status`;
  if (run === undefined)
    return `no run of ${name} is under way, so there is nothing to cancel; see rollout status`;
  const mine: Hold = { kind: "cancel", ...byMe(now), ...(undo ? { undo } : {}) };
  let before: Hold | undefined;
  const isSame = (hold: Hold | undefined): boolean =>
    hold?.kind === "cancel" && (hold.undo === true) === undo;
  await changeHold(store, now.getTime(), (hold) => (isSame((before = hold)) ? hold : mine));
  if (before && isSame(before))
    return `${name} is already being cancelled (${describeHold(before, now.getTime())}), in ${store.where}`;
  const when = undo ? "back on its last image" : "whole again";
  return `${name} is being cancelled: ${run.command} (process ${String(run.pid)}, by ${run.by}) ends once the group in flight is ${when}, in ${store.where}`;
}

/** A time with its zone, since nobody should have to guess whose clock is meant. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;

function timeOf(until: string, now: number): string {
  // What parses a time takes the 30th of February for the 2nd of March.
  const isDay = z.iso.date().safeParse(until.slice(0, 10)).success;
  const at = TIME.test(until) && isDay ? Date.parse(until) : NaN;
  if (at > now) return new Date(at).toISOString();
  const is = Number.isNaN(at)
    ? "expected a time with its zone, on a day that there is"
    : "that is over; expected a time that is still to come";
  throw new UserError(
    `--until: got ${JSON.stringify(until)}; ${is}, such as 2026-12-24T18:00+01:00 or 2026-12-24T17:00Z`,
    2,
  );
}

const endOf = ({ until }: Hold): number => (until === undefined ? Infinity : Date.parse(until));

const byMe = (now: Date) => ({ since: now.toISOString(), by: whoRuns() });

async function heldBy(env: Environment): Promise<{ name: string; store: RunStore }> {
  const source = findSpec(env);
  return { name: source.spec.name, store: await openRunStore(source) };
}

async function readable(store: RunStore, at: number): Promise<Hold | "damaged" | undefined> {
  try {
    return await readHold(store, at);
  } catch (error) {
    if (error instanceof UserError) return "damaged";
    throw error;
  }
}
