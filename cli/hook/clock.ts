import { setTimeout } from "node:timers/promises";

/** Time as a hook sees it. A test gives one that moves by itself. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** @throws the signal's reason once that is aborted */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  pause: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  },
};
