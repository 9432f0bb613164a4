import { mayRoll, refuse } from "../roll/may-roll.js";
import type { Situation } from "../status/situation.js";

/**
 * Refuses an edit that makes a group pending while anything would keep it from being rolled. What is half created is of no
 * concern to an edit.
 * @param done what is not done then: `undone`
 * @param together the groups that are edited at once
 * @throws UserError with the next command
 */
export function refuseToEdit(situation: Situation, group: string, done: string, together = [group]): void {
  const reasons = mayRoll(situation, together, situation).filter(({ id }) => id !== "creation");
  refuse(reasons, `${group} is not ${done}`);
}
