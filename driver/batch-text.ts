import type { Batch } from "../rollout/roll/next-batch.js";
import type { Step } from "../cluster/run/run-log.js";

/** `: broker-0-0, while broker-0-1 waits` */
export function inBatch({ updating, laterHosts }: Batch): string {
  if (laterHosts.length === 0) return "";
  const who = updating.length > 0 ? updating.join(", ") : "what is out already";
  return `: ${who}, while ${laterHosts.join(", ")} ${laterHosts.length === 1 ? "waits" : "wait"}`;
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
