import { realClock } from "../clients/clock.js";
import type { Progress } from "../driver/progress.js";
import { inRun, type Run } from "../driver/run.js";
import type { Recorded } from "./phases.js";
import { recordedOf } from "./recorded.js";
import type { Rehearsing } from "./rehearsing.js";
import type { Say } from "./tasks.js";

/**
 * Runs something of the driver's as `rollout deploy` does, and reads what it has recorded. Nobody has to confirm it.
 * @param cause of the revisions that come of it
 */
export async function drive(
  rehearsing: Rehearsing,
  { view, cause, say }: { readonly view: string; readonly cause: string; readonly say: Say },
  action: (run: Run) => Promise<unknown>,
): Promise<Recorded> {
  return inRun(
    {
      env: rehearsing.environment(cause),
      command: `rollout deploy ${view}`,
      clock: realClock,
      confirm: () => Promise.resolve(),
      progress: told(say),
      ownResources: false,
    },
    async (run) => {
      await action(run);
      return recordedOf(run, view);
    },
  );
}

/** Each step, what it waits for, and warnings. */
const told =
  (say: Say): Progress =>
  (event) => {
    if (event.kind === "started") say(`${event.step}: ${event.message}`);
    if (event.kind === "waiting") say(event.condition);
    if (event.kind === "line" && event.text.includes("warning: ")) say(event.text);
  };
