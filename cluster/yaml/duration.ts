import { UserError } from "../user-error.js";

/** A whole number and its unit: `90s`, `15m`, `1h`. */
export const DURATION = /^(\d{1,6})(s|m|h)$/;

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/**
 * The length of a duration in seconds.
 * @throws UserError when the text is no duration
 */
export function durationSeconds(text: string): number {
  const match = DURATION.exec(text);
  if (!match)
    throw new UserError(`no duration: "${text}"; write a whole number and s, m or h, such as 90s, 15m or 1h`);
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}
