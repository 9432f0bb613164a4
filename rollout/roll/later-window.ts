import type { Spec } from "../../cluster/yaml/schema.js";
import { formatTime } from "../log/time.js";
import type { Reason } from "./may-roll.js";
import { openingAt } from "./windows.js";

/**
 * What holds a group back, with the window that is closed once all of it has passed: a group that waits for an interval may
 * have to wait for the next window then. Without one where something has no end.
 * @param at milliseconds since 1970
 */
export function withLaterWindow(
  reasons: readonly Reason[],
  { rollout: { windows } }: Spec,
  at: number,
): Reason[] {
  const end = heldUntil(reasons);
  const opening = windows && end > at && end < Infinity && openingAt(windows, end);
  if (!opening || !("opens" in opening)) return [...reasons];
  const [from, to] = [end, opening.opens].map((time) => formatTime(new Date(time).toISOString(), at));
  const text = `rollout.windows: none is open from ${from ?? ""} to ${to ?? ""}`;
  const window: Reason = { id: "window", text, until: opening.opens, remedy: "wait for it" };
  return [...reasons.filter(({ id }) => id !== "window"), window];
}

/** When all of it has passed; Infinity where somebody has to act, and 0 where nothing holds. */
export const heldUntil = (reasons: readonly Reason[]): number =>
  Math.max(0, ...reasons.map(({ until = Infinity }) => until));
