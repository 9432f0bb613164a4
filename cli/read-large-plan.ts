import { type CutPlan, cutPlan } from "../guard/plan/cut-plan.js";
import type { Plan } from "../guard/plan/plan.js";
import { NotAPlan, readCutPlan, readPlan } from "../guard/plan/read-plan.js";
import { Thread } from "./thread.js";

/**
 * Reads a large plan in two threads. One that is damaged or of unusual form is read once more as a whole, so that errors
 * are the same.
 * @throws NotAPlan as readPlan does
 */
export async function readLargePlan(bytes: Uint8Array): Promise<Plan> {
  const cut = cutPlan(bytes);
  return (cut && (await readBoth(cut))) ?? readPlan(bytes);
}

async function readBoth(cut: CutPlan): Promise<Plan | undefined> {
  // Not slice: of a Buffer that is no copy, and the thread would take the whole file away.
  const aside = cut.aside.map((part) => new Uint8Array(part));
  const thread = new Thread<readonly string[]>(
    "planned",
    aside,
    aside.map(({ buffer }) => buffer),
  );
  try {
    const planFrom = readCutPlan(cut);
    const planned = await thread.answer();
    return planned && planFrom(planned);
  } catch (error) {
    if (error instanceof NotAPlan) return undefined;
    throw error;
  } finally {
    await thread.stop();
  }
}
