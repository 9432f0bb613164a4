import { AnswerError, NoLeaderError, PermissionError } from "../../clients/http/errors.js";
import { isPassing } from "../../clients/http/failure.js";
import { isUnknown, type Observed } from "../../rollout/observation/observation.js";
import { UserError } from "../../cluster/user-error.js";

/** More of a reason helps nobody who waits. */
const LONGEST_REASON = 300;

/** The answer to a question, or why there is none. What a program does wrong is thrown on. */
export async function ask<T>(question: () => Promise<Observed<T>>): Promise<Observed<T>> {
  try {
    return await question();
  } catch (error) {
    return {
      unknown: reasonOf(error),
      ...(isElection(error) ? { passing: true } : {}),
      ...(error instanceof PermissionError ? { refused: true } : {}),
    };
  }
}

/** No leader, or one that has just gone. */
export const isElection = (error: unknown): error is AnswerError =>
  error instanceof NoLeaderError || (error instanceof AnswerError && isPassing(error.status, error.text));

/** Why something could not be asked, one line. @throws what is no condition of the surroundings, but a bug */
function reasonOf(error: unknown): string {
  if (!(error instanceof UserError)) throw error;
  const line = error.message.replace(/\s+/g, " ").trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}

/**
 * A list that is shortened, silently, for a token without a right: then it is not known.
 * @param rights of the token; where they are not known themselves, nothing vouches for the list
 */
export function unlessHidden<T, Right extends string>(
  observed: Observed<T>,
  rights: Observed<readonly Right[]>,
  needed: readonly Right[],
): Observed<T> {
  if (isUnknown(observed)) return observed;
  if (isUnknown(rights)) return { ...rights, unknown: `the token's rights are not known: ${rights.unknown}` };
  const missing = needed.filter((right) => !rights.includes(right));
  return missing.length === 0
    ? observed
    : { unknown: `the token lacks ${missing.join(" and ")}, so what it is shown proves nothing` };
}

/** Goes on with two answers; one that is not known stands for the result. */
export async function withBoth<A, B, R>(
  one: Observed<A>,
  other: Observed<B>,
  goOn: (one: A, other: B) => Promise<Observed<R>>,
): Promise<Observed<R>> {
  if (isUnknown(one)) return one;
  if (isUnknown(other)) return other;
  return ask(() => goOn(one, other));
}

/** One of the values that are known here. @throws UserError for one of a newer version */
export function oneOf<const T extends string>(values: readonly T[], value: string, what: string): T {
  const found = values.find((each) => each === value);
  if (found !== undefined) return found;
  throw new UserError(`${what} is "${value}", which this version of rollout does not know`);
}
