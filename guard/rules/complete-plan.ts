import type { Deployed } from "../../cluster/deployed.js";
import type { Plan } from "../plan/plan.js";
import type { Rule } from "../proposal.js";

/** Only a plan that shows all that will happen can be judged. */
export const completePlan: Rule = ({ plan, deployed }) => {
  if (!plan) return [];
  const unsaid = plan.gaps.length > 0 || plan.view === undefined ? [] : leftOut(plan, deployed);
  if (unsaid.length > 0) {
    return [
      {
        rule: "complete-plan",
        subjects: unsaid,
        message: `the plan does not say what happens to ${String(unsaid.length)} deployed ${unsaid.length === 1 ? "resource" : "resources"}: ${unsaid.join(", ")}`,
        remedy:
          "plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
      },
    ];
  }
  if (plan.gaps.length === 0) return [];
  return [
    {
      rule: "complete-plan",
      subjects: plan.gaps,
      message: `the plan cannot be judged: ${plan.gaps.join(", ")}`,
      remedy: "plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
    },
  ];
};

/** A whole plan lists every deployed resource, the unchanged ones included, but for what it found gone. */
function leftOut({ resources, gone }: Plan, { addresses }: Deployed): string[] {
  const listed = new Set([
    ...resources.flatMap(({ address, deposed }) => (deposed === undefined ? [address] : [])),
    ...gone,
  ]);
  return [...addresses].filter((address) => !listed.has(address) && !address.startsWith("data.")).sort();
}
