import type { Deployed } from "../../cluster/deployed.js";
import type { Plan } from "../plan/plan.js";
import { TRIED } from "../plan/format.js";
import { isUnchanged } from "../plan/plan-changes.js";
import { listed } from "../listed.js";
import type { Rule } from "../proposal.js";
import { violation, type Violation } from "../verdict.js";

/** Only a plan that shows all that will happen, in words that are known, can be judged. */
export const completePlan: Rule = ({ plan, deployed }) =>
  plan ? [...notKnown(plan), ...notWhole(plan, deployed)] : [];

function notKnown({ unknown, tool, terraformVersion }: Plan): Violation[] {
  if (unknown.length === 0) return [];
  return violation("complete-plan", [...unknown].sort(), {
    message: `the plan of ${tool} ${terraformVersion} says what this version of rollout does not know: ${listed([...unknown].sort())}`,
    remedy: `leave it out, plan with a version that was tried (up to ${tool} ${TRIED[tool]}), or take a version of rollout that knows it`,
  });
}

function notWhole(plan: Plan, deployed: Deployed): Violation[] {
  const unsaid = plan.gaps.length > 0 || plan.view === undefined ? [] : leftOut(plan, deployed);
  if (unsaid.length > 0) {
    return violation("complete-plan", unsaid, {
      message: `the plan does not say what happens to ${String(unsaid.length)} deployed ${unsaid.length === 1 ? "resource" : "resources"}: ${unsaid.join(", ")}`,
      remedy: "plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
    });
  }
  if (plan.gaps.length === 0) return [];
  return violation("complete-plan", plan.gaps, {
    message: `the plan cannot be judged: ${plan.gaps.join(", ")}`,
    remedy: "plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
  });
}

/**
 * A whole plan lists every deployed resource, the unchanged ones included, but for what it found gone. What is tainted
 * never stays unchanged.
 */
function leftOut({ resources, gone }: Plan, { addresses, groups }: Deployed): string[] {
  const tainted = new Set([...groups.values()].flatMap((group) => group.tainted));
  const listed = new Set([
    ...resources.flatMap(({ address, deposed, actions }) =>
      deposed === undefined && !(tainted.has(address) && isUnchanged({ actions })) ? [address] : [],
    ),
    ...gone,
  ]);
  return [...addresses].filter((address) => !listed.has(address) && !address.startsWith("data.")).sort();
}
