import { setTimeout } from "node:timers/promises";
import type { LocalMachines } from "./local-machines/machines.js";

/** Time as a hook sees it. A test gives one that moves by itself. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** @throws the signal's reason once that is aborted */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The time of a cluster that lives faster than real time, or slower. */
export function clusterClock(cluster: Pick<LocalMachines, "speed" | "timeAt">): Clock {
  return {
    now: () => cluster.timeAt(Date.now()),
    pause: (ms, signal) => realClock.pause(ms / cluster.speed, signal),
  };
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
