import type { Environment } from "../clients/environment.js";
import type { Intent } from "../cluster/run/intent.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { departuresOf, gateDepartures, leftOf, outOfTurn } from "../guard/follows.js";
import { gateNow, intentNow } from "../program/intent.js";
import { readSituation } from "../program/situation.js";
import { begunBy } from "../rollout/roll/begun.js";
import { unfinishedNames } from "../rollout/roll/may-roll.js";

/** What a run was approved for, which nothing of it may depart from. */
export interface Approved {
  readonly intent: Intent;
  /**
   * Said before a group begins, and before it leaves.
   * @returns the names of the groups that are left
   * @throws Departed
   */
  readonly prove: (group?: string) => Promise<readonly string[]>;
  /** Said before more machines of a group leave, by the spec that they would leave by. @throws Departed */
  readonly proveLeave: (group: string, spec: Spec) => void;
  /** Whether the roll of a group by this intent has begun and not ended. */
  readonly hasBegun: (group: string) => Promise<boolean>;
}

/** Something is otherwise than it was approved. */
export class Departed extends UserError {
  override readonly name = "Departed";
}

/**
 * Refuses what is otherwise than approved.
 * @param inFlight a group that has begun, which nobody may leave as it is
 */
export function refuseDepartures(departures: readonly string[], inFlight?: string): void {
  if (departures.length === 0) return;
  const what =
    inFlight === undefined
      ? "put it back, or have another intent approved, which rollout plan --intent FILE writes"
      : `put it back, or finish ${inFlight} without the intent: rollout deploy ${inFlight}`;
  throw new Departed(
    `this is not what was approved, and nothing more of it is rolled:\n${departures.map((each) => `  ${each}`).join("\n")}\n${what}`,
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
  const { intent: is, situation } = await intentNow(env, { asked, groups, expires }, now);
  const begun = begunBy(intent, situation);
  const left = leftOf(intent, is, begun).map(({ name }) => name);
  const departures = [...outOfTurn(intent, is, begun, group), ...departuresOf(intent, is, begun)];
  return { left, inFlight: unfinishedNames(situation)[0], departures };
}

/** @param now milliseconds since 1970 */
export const approvedIn = (intent: Intent, env: Environment, now: () => number): Approved => ({
  intent,
  prove: async (group) => {
    const { departures, inFlight, left } = await departuresIn(intent, env, now(), group);
    refuseDepartures(departures, inFlight);
    return left;
  },
  proveLeave: (group, spec) => {
    refuseDepartures(gateDepartures(intent, group, gateNow(spec, group)), group);
  },
  hasBegun: async (group) => begunBy(intent, await readSituation(env, now())).includes(group),
});
