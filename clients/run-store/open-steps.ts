import * as z from "zod";
import { Kept } from "./kept.js";

const openStep = z.object({
  group: z.string(),
  /** Its title. */
  step: z.string(),
  /** What it was run for. */
  at: z.object({ name: z.string(), group: z.string() }).catchall(z.string()),
});

export type OpenStep = z.output<typeof openStep>;

/** The steps whose undo is owed, whoever rolls their group, in the order in which they began. */
export const OPEN_STEPS = new Kept("steps", z.array(openStep), "see which are to be undone, and remove it");
