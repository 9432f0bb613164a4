import { UserError } from "../../cluster/user-error.js";

/** Milliseconds since 1970 of a time as the agents write it; 0 for Go's empty time, year 1. @throws UserError for what is none */
export function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UserError(`an agent's answer has no time where one belongs: "${text}"`);
  return Math.max(0, time);
}
