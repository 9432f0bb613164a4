import * as z from "zod";
import { DURATION, durationSeconds } from "./duration.js";

export const three = <T extends z.ZodType>(value: T, what: string) =>
  z.tuple([value, value, value], {
    error: ({ input }) =>
      `an array of exactly three, ${what} for each of the groups 0, 1 and 2` +
      (input === undefined || Array.isArray(input)
        ? ""
        : "; a single value would change three groups at once"),
  });

/** A text of one form. What is expected is said whether it is no text or a wrong one. */
export const text = (form: RegExp, error: string) => z.string({ error }).regex(form, { error });

export const filled = (error: string) => z.string({ error }).min(1, { error });

/** A text of one line that Terraform takes as it stands: `${` and `%{` begin an expression there. */
export const plain = (what: string) => text(/^(?!.*[$%]\{).+$/, `${what}, one line without \${ and %{`);

export function whole(least: number, most: number) {
  const error = `a whole number from ${String(least)} to ${String(most)}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export function duration(least: string, most: string) {
  const error = `a duration from ${least} to ${most}: a whole number and s, m or h, such as 90s, 15m or 1h`;
  const [from, to] = [durationSeconds(least), durationSeconds(most)];
  const within = (seconds: number): boolean => seconds >= from && seconds <= to;
  return text(DURATION, error).refine((value) => !DURATION.test(value) || within(durationSeconds(value)), {
    error,
  });
}

/** A key that is named only to say why it has no place here. */
export const refused = (reason: string) =>
  z
    .never({ error: `not allowed: ${reason}` })
    .optional()
    .describe(`Not allowed: ${reason}.`);
