import type { ApplyEvent } from "../clients/terraform/apply-stream.js";
import { type Applied, applyPlan } from "../clients/terraform/apply.js";
import { narrate } from "./narrate.js";
import { terraformEnvironment } from "../program/terraform-environment.js";
import type { GroupSteps } from "./group-steps.js";
import type { GroupPlan } from "./plan-group.js";
import type { Run } from "./run.js";

/** Applies that very plan, and tells of it as it goes. What Terraform says goes into the file `log`. */
export function applyGroup(
  run: Run,
  plan: GroupPlan,
  {
    steps,
    log,
    env = {},
  }: { readonly steps: GroupSteps; readonly log: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Applied> {
  const narrator = narrate((condition) => {
    steps.waits(condition);
  });
  return applyPlan({
    cwd: plan.folder,
    plan: plan.file,
    env: { ...terraformEnvironment(run.env), ...env },
    log,
    onEvent: (event) => {
      narrator(event);
      const line = describe(event);
      if (line !== undefined) steps.say(line);
    },
    stop: run.stop,
  });
}

/** Whether the state has moved since the plan was made. */
export const isStale = ({ errors }: Applied): boolean =>
  errors.some(({ summary }) => summary === "Saved plan is stale");

/** What is worth a line. */
function describe(event: ApplyEvent): string | undefined {
  switch (event.kind) {
    case "done":
      return `${event.address}: ${event.action} done`;
    case "failed":
      return `${event.address}: ${event.action} failed`;
    case "said":
      // Terraform says first what it runs, which everybody can see in the stack.
      return event.text.startsWith("Executing: ") ? undefined : event.text;
    case "warning":
      return `warning: ${event.summary}`;
    default:
      return undefined;
  }
}
