import { rmSync } from "node:fs";
import { join } from "node:path";
import { loadProgram } from "../program/program.js";
import { refuseStrays } from "../program/strays.js";
import { applyFailure, applyView } from "./apply-view.js";
import { GroupSteps } from "./group-steps.js";
import { ViewPlanner } from "./plan-view.js";
import type { Run } from "./run.js";

const VIEW = "cluster";

/**
 * Plans the view `cluster`, which creates what is new and rolls no group, has the plan judged and applies that very plan.
 * @throws UserError with what Terraform said; PlanRejected with what the guard said
 */
export async function deployCluster(run: Run): Promise<void> {
  const steps = new GroupSteps(run, VIEW);
  try {
    const program = await loadProgram(run.env);
    for (const line of await refuseStrays(program, VIEW)) steps.say(line);
    const plan = await steps.during("plan", "what would be done, and whether the guard accepts it", () =>
      new ViewPlanner(run, VIEW).plan(undefined, program),
    );
    await steps.during("apply", "what is new is created", async () => {
      const applied = await applyView(run, plan, { steps, step: "apply" });
      run.stop.throwIfAborted();
      if (applied.exitCode !== 0) throw applyFailure(run, applied, "run it again: it goes on from here");
    });
  } finally {
    rmSync(join(run.folder, `plan-${VIEW}`), { force: true });
  }
}
