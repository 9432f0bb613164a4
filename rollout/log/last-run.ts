import * as z from "zod";
import { STEPS } from "../../cluster/run/run-log.js";
import { headline, touchedAt } from "./last-failure.js";
import type { Run } from "./read-runs.js";

/** How far a run has come; of several groups the one at hand, and between two and at the end the last one. */
export const lastRunSchema = z.strictObject({
  command: z.string().nullable(),
  by: z.string().nullable(),
  since: z.iso.datetime(),
  lastLineAt: z.iso.datetime(),
  group: z.string().nullable(),
  step: z.enum(STEPS).nullable(),
  stepSince: z.iso.datetime().nullable(),
  condition: z.string().nullable().describe("What is waited for, with its last value."),
  conditionSince: z.iso.datetime().nullable().describe("Since when that has been so."),
  isEnded: z.boolean(),
  result: z.enum(["ok", "failed", "undone", "interrupted"]).nullable(),
  hasTouched: z.boolean().describe("false: it was refused before anything was changed."),
  message: z.string().nullable(),
});

/** The run that the log speaks of last; null where it has none. */
export function lastRun(runs: readonly Run[]): z.output<typeof lastRunSchema> | null {
  const run = runs.at(-1);
  if (!run) return null;
  const { command, by, since, lastAt, attempts, condition, end } = run;
  const last = attempts.at(-1);
  const step = last?.steps.at(-1);
  return {
    command: command ?? null,
    by: by ?? null,
    since,
    lastLineAt: lastAt,
    group: last?.group ?? null,
    step: step?.step ?? null,
    stepSince: step?.since ?? null,
    condition: headline(condition?.message) ?? null,
    conditionSince: condition?.at ?? null,
    isEnded: end !== undefined,
    result: end?.result ?? null,
    hasTouched: attempts.some((each) => touchedAt(each) !== undefined),
    message: headline(end?.message ?? last?.end?.message) ?? null,
  };
}
