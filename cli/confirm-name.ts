import { UserError } from "../cluster/user-error.js";
import { ask, type Dialogue } from "./ask.js";

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
  const answer = await ask(`${question}\nType ${name} to go on: `, dialogue);
  if (answer !== name) throw new UserError("nothing was changed");
}
