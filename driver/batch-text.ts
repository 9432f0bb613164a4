import type { Batch } from "../rollout/roll/next-batch.js";
import type { Step } from "../cluster/run/run-log.js";

/** `: broker-0-0, while broker-0-1 waits` */
export function inBatch({ going, waiting }: Batch): string {
  if (waiting.length === 0) return "";
  const who = going.length > 0 ? going.join(", ") : "what is out already";
  return `: ${who}, while ${waiting.join(", ")} ${waiting.length === 1 ? "waits" : "wait"}`;
}

interface Timed {
  readonly step: Step;
  readonly seconds: number;
}

/** The time of each step, over all batches. */
export function summed(steps: readonly Timed[]): Timed[] {
  const times = new Map<Step, number>();
  for (const { step, seconds } of steps) times.set(step, (times.get(step) ?? 0) + seconds);
  return [...times].map(([step, seconds]) => ({ step, seconds }));
}
