import type { Condition } from "./condition.js";
import type { Readiness } from "./readiness.js";

/** `nodes-eligible (2 of 3): broker-0-1: its node … is ineligible`; what could not be asked says so. */
export const formatCondition = ({ name, status, reason, value }: Condition): string =>
  `${name} (${status === "unknown" && value !== "unknown" ? `unknown, ${value}` : value}): ${reason}`;

/** What is in the way, one line a condition; the same text while nothing changes. */
export const unmetConditions = ({ conditions }: Readiness): string[] =>
  conditions.filter(({ status }) => status !== "met").map(formatCondition);

/**
 * Why a group has not become ready in time: every condition that failed, with its last value.
 * @param last the last reading
 */
export function describeTimeout(last: Readiness, waitedSeconds: number): string {
  const failed = unmetConditions(last);
  const after = `${last.group} is not ready after ${String(waitedSeconds)} s`;
  return failed.length === 0
    ? `${after}: every condition is met now, but they have not held for the bake time`
    : `${after}:\n${failed.map((line) => `  ${line}`).join("\n")}`;
}

/** Whether the time is up. The bake time is not counted, so that it never fails a group that is ready in time. */
export function isTimedOut(
  { at }: Pick<Readiness, "at">,
  begunAt: number,
  { timeoutSeconds, bakeSeconds }: { readonly timeoutSeconds: number; readonly bakeSeconds: number },
): boolean {
  return at - begunAt > (timeoutSeconds + bakeSeconds) * 1000;
}
