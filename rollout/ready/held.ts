import type { Readiness } from "./readiness.js";

/** For how long a group has been ready without a break. */
export interface Held {
  /** Since when; absent while a condition is not met. Hand it in with the next observation. */
  readonly since?: number;
  readonly heldSeconds: number;
  readonly bakeSeconds: number;
  /** Whether the bake time is over. */
  readonly done: boolean;
}

/**
 * Counts the bake time, in which each check has to pass twice. Any break starts it anew, and so does a clock that was set back.
 * @param since what the last call returned; absent on the first
 */
export function held(
  { passed, at, passedTwiceSince = Infinity }: Pick<Readiness, "passed" | "at"> & Partial<Readiness>,
  since: number | undefined,
  bakeSeconds: number,
): Held {
  if (!passed) return { heldSeconds: 0, bakeSeconds, done: false };
  const from = since === undefined || since > at ? at : since;
  const heldSeconds = Math.floor((at - from) / 1000);
  const done = bakeSeconds === 0 || (heldSeconds >= bakeSeconds && passedTwiceSince >= from);
  return { since: from, heldSeconds, bakeSeconds, done };
}

/** `held 40s of 120s` */
export const formatHeld = ({ heldSeconds, bakeSeconds }: Held): string =>
  `held ${String(heldSeconds)}s of ${String(bakeSeconds)}s`;
