import { parentPort, workerData } from "node:worker_threads";
import type { CutPlan } from "../guard/plan/cut-plan.js";
import { NotAPlan, readPlanned } from "../guard/plan/read-plan.js";

/** What runs in a thread beside the one that reads the rest of a large plan. */
try {
  parentPort?.postMessage(readPlanned(workerData as CutPlan["aside"]));
} catch (error) {
  if (!(error instanceof NotAPlan)) throw error;
  parentPort?.postMessage(undefined);
}
