import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** Where a person is asked; `isTTY` is set where there is one. */
export interface Dialogue {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

/** On standard error, since standard output is for the result. */
export const onTerminal = (): Dialogue => ({ input: process.stdin, output: process.stderr });

/** The answer to a question; undefined at the end of the input, and after Ctrl-C. */
export async function ask(question: string, { input, output }: Dialogue): Promise<string | undefined> {
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
