import { AnswerError } from "./errors.js";

/** The answer to a call, or what stands for it where the agent's refusal says that there is nothing to do or to find. */
export async function unlessRefused<T, U>(
  answer: Promise<T>,
  isMeant: (error: AnswerError) => boolean,
  instead: U,
): Promise<T | U> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AnswerError && isMeant(error)) return instead;
    throw error;
  }
}

/** Whether something was done: not where the agent's refusal says that there was nothing to do. */
export const wasDone = (told: Promise<void>, isMeant: (error: AnswerError) => boolean): Promise<boolean> =>
  unlessRefused(
    told.then(() => true),
    isMeant,
    false,
  );
