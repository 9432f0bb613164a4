import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { UserError } from "../cluster/user-error.js";

/** Where a person is asked; `isTTY` is set where there is one. */
export interface Dialogue {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

/** On standard error, since standard output is for the result. */
export const onTerminal = (): Dialogue => ({ input: process.stdin, output: process.stderr });

/** The answer to a question; undefined at the end of the input, and after Ctrl-C. */
export async function answerTo(question: string, { input, output }: Dialogue): Promise<string | undefined> {
  const lines = createInterface({ input, output });
  try {
    const answer = await new Promise<string | undefined>((resolve) => {
      const end = (): void => {
        resolve(undefined);
      };
      lines.once("SIGINT", end).once("close", end);
      lines.question(question, resolve);
    });
    return answer?.trim();
  } finally {
    lines.close();
  }
}

export interface Confirmation {
  /** What has to be typed: the name of what is in danger. */
  readonly name: string;
  /** What `--confirm` was given; absent where it was not. */
  readonly given?: string | undefined;
  /** What is about to happen. */
  readonly question: string;
}

/**
 * Goes on only where the name of what is in danger was typed, or named by `--confirm`. The end of the input is no.
 * @throws UserError with exit code 2 where nobody can be asked or another name was given, 1 where the answer is no
 */
export async function confirmName(
  { name, given, question }: Confirmation,
  dialogue: Dialogue,
): Promise<void> {
  if (given === name) return;
  if (given !== undefined)
    throw new UserError(`--confirm names "${given}"; expected ${name}; nothing was changed`, 2);
  if (dialogue.input.isTTY !== true) {
    throw new UserError(`${question}\nnobody can be asked here; repeat it with: --confirm ${name}`, 2);
  }
  const answer = await answerTo(`${question}\nType ${name} to go on: `, dialogue);
  if (answer !== name) throw new UserError("nothing was changed");
}
