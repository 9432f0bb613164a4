import type { Environment } from "../clients/environment.js";
import type { Intent } from "../cluster/run/intent.js";
import { departuresOf, leftOf } from "../guard/follows.js";
import { intentNow } from "../program/intent.js";
import { NotConfirmed } from "./confirm.js";

/** What a run was approved for, which nothing of it may depart from. */
export interface Approved {
  readonly intent: Intent;
  /** Said before a group begins, and before it leaves. @throws NotConfirmed */
  readonly prove: (group?: string) => Promise<void>;
}

/** Refuses what is otherwise than approved. */
export function refuseDepartures(departures: readonly string[]): void {
  if (departures.length === 0) return;
  throw new NotConfirmed(
    `this is not what was approved, and nothing more of it is rolled:\n${departures.map((each) => `  ${each}`).join("\n")}\nput it back, or have another intent approved, which rollout plan --intent FILE writes`,
  );
}

/**
 * What is otherwise now than it was approved, and the groups that are left.
 * @param now milliseconds since 1970
 * @param group the one that is about to begin or to go on
 */
export async function departuresIn(intent: Intent, env: Environment, now: number, group?: string) {
  const { asked, expires } = intent;
  const groups = intent.groups.map(({ name }) => name);
  const { intent: is, begun } = await intentNow(env, { asked, groups, expires }, now);
  const left = leftOf(intent, is, begun).map(({ name }) => name);
  const isEarly = group !== undefined && left.includes(group) && group !== left[0];
  const early = isEarly ? [`${group} is not what comes next: ${left[0] ?? "nothing"}`] : [];
  return { left, departures: [...early, ...departuresOf(intent, is, begun)] };
}

/** @param now milliseconds since 1970 */
export const approvedIn = (intent: Intent, env: Environment, now: () => number): Approved => ({
  intent,
  prove: async (group) => {
    refuseDepartures((await departuresIn(intent, env, now(), group)).departures);
  },
});
