import { isForReview } from "../cluster/deployed.js";
import { inFlightOf, pendingGroups } from "../cluster/pending.js";
import { UserError } from "../cluster/user-error.js";
import { heldBack, type Reason, refusal } from "../rollout/roll/may-roll.js";
import { FAR_AHEAD, type Held } from "../stacks/view-variables.js";
import type { Program } from "./program.js";
import { situationOf } from "./situation.js";

/**
 * What holds those groups back that are to be rolled and have not begun. Where nobody can read it, nothing is begun. The run
 * store is asked only where there is such a group.
 * @param now milliseconds since 1970
 */
export async function heldViews(program: Program, now: number): Promise<Map<string, Held>> {
  const { spec, deployed, views } = program;
  const begun = new Set(inFlightOf(spec, deployed).map(({ group }) => group));
  const due = pendingGroups(spec, deployed).filter(({ name }) => views.includes(name) && !begun.has(name));
  if (due.length === 0 || isForReview(deployed.origin)) return new Map();
  try {
    const situation = await situationOf(program, deployed, now);
    return new Map(
      due.flatMap(({ name }) => {
        const reasons = heldBack(situation, name);
        return reasons.length === 0 ? [] : [[name, heldBy(reasons, name)]];
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return new Map(due.map(({ name }) => [name, { until: FAR_AHEAD, why: error.message }]));
  }
}

function heldBy(reasons: readonly Reason[], group: string): Held {
  const why = refusal(reasons, `${group} is not rolled`).message;
  const ends = reasons.map(({ until = Infinity }) => until);
  const last = Math.max(...ends);
  if (!Number.isFinite(last)) return { until: FAR_AHEAD, why };
  // Terraform's clock has no fractions.
  const until = new Date(Math.ceil(last / 1000) * 1000).toISOString().replace(".000Z", "Z");
  return { until, why: `not before ${until}: ${why}` };
}
