import { mayRoll, refuse, unfinishedNames } from "../roll/may-roll.js";
import type { Situation } from "../status/situation.js";

/**
 * Refuses an edit that makes a group pending while anything would keep it from being rolled. What is half created is of no
 * concern to an edit, nor a hold to the way back of what has begun.
 * @param done what is not done then: `undone`
 * @param together the groups that are edited at once
 * @throws UserError with the next command
 */
export function refuseToEdit(situation: Situation, group: string, done: string, together = [group]): void {
  const begun = unfinishedNames(situation);
  const isBegun = together.every((name) => begun.includes(name));
  const free = isBegun ? ["creation", "paused", "cancelled"] : ["creation"];
  const reasons = mayRoll(situation, together, situation).filter(({ id }) => !free.includes(id));
  refuse(reasons, `${group} is not ${done}`);
}
