import { setTimeout as wait } from "node:timers/promises";

/** How long an application goes on trying before it gives up. Milliseconds. */
export interface Patience {
  readonly forMs: number;
  readonly everyMs: number;
}

/** Between two operations of one client: enough of them to see what goes wrong, and no load on a small machine. */
export const PAUSE_MS = 100;

/** A machine that is busy itself may make the first tries late. */
const LEAST_TRIES = 3;

/** Counts what was asked and how it ended. */
export class Tally {
  #tried = 0;
  #failed = 0;
  #triedAgain = 0;
  #longestMs = 0;
  #firstError: string | null = null;

  constructor(private readonly patience: Patience) {}

  /** Tries until it succeeds or patience ends, three times at least: then it has failed, and undefined is returned. */
  async attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
    const { forMs, everyMs } = this.patience;
    const begun = performance.now();
    const past = (): number => performance.now() - begun;
    this.#tried++;
    for (let tries = 1; ; tries++) {
      try {
        const result = await run();
        this.#longestMs = Math.max(this.#longestMs, past());
        return result;
      } catch (error) {
        if (tries === 1) this.#triedAgain++;
        this.#firstError ??= messageOf(error);
        if (past() >= forMs && tries >= LEAST_TRIES) {
          this.#failed++;
          this.#longestMs = Math.max(this.#longestMs, past());
          return undefined;
        }
        await wait(everyMs);
      }
    }
  }

  get result() {
    return {
      tried: this.#tried,
      failed: this.#failed,
      triedAgain: this.#triedAgain,
      longest: Math.round(this.#longestMs) / 1000,
      firstError: this.#firstError,
    };
  }
}

/** The message and those of its causes: fetch says no more than that it failed. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
