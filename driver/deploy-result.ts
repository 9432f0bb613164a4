import * as z from "zod";
import { STEPS } from "../cluster/run/run-log.js";

/** What became of one group. */
export const groupResultSchema = z.discriminatedUnion("result", [
  z.strictObject({
    result: z.literal("rolled"),
    revision: z.int().positive(),
    seconds: z.number().nonnegative(),
    steps: z.array(z.strictObject({ step: z.enum(STEPS), seconds: z.number().nonnegative() })),
  }),
  z
    .strictObject({ result: z.literal("applied"), seconds: z.number().nonnegative() })
    .describe("Of the view cluster, and of data volumes that were changed in place."),
  z.strictObject({ result: z.literal("nothing") }),
]);

export type GroupResult = z.output<typeof groupResultSchema>;
