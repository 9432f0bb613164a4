import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { UserError } from "../spec/user-error.js";

export interface Confirmation {
  /** What has to be typed: the name of what is in danger. */
  readonly name: string;
  /** What `--confirm` was given; absent where it was not. */
  readonly given?: string | undefined;
  /** What is about to happen. */
  readonly question: string;
}

/** Where a person is asked; `isTTY` is set where there is one. */
export interface Dialogue {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

/**
 * Goes on only where the name of what is in danger was typed, or named by `--confirm`. The end of the input is no.
 * @throws UserError with exit code 2 where nobody can be asked or another name was given, 1 where the answer is no
 */
export async function confirmName(
  { name, given, question }: Confirmation,
  { input, output }: Dialogue,
): Promise<void> {
  if (given === name) return;
  if (given !== undefined)
    throw new UserError(`--confirm names "${given}"; expected ${name}; nothing was changed`, 2);
  if (input.isTTY !== true) {
    throw new UserError(`${question}\nnobody can be asked here; repeat it with: --confirm ${name}`, 2);
  }
  const lines = createInterface({ input });
  try {
    output.write(`${question}\nType ${name} to go on: `);
    const answer = await new Promise<string>((resolve) => {
      lines.once("line", resolve).once("close", () => {
        resolve("");
      });
    });
    if (answer.trim() !== name) throw new UserError("nothing was changed");
  } finally {
    lines.close();
  }
}
