import type { Deployed } from "../../cluster/deployed.js";
import type { Plan } from "../plan/plan.js";
import type { Rule } from "../proposal.js";

/** Only a plan that shows all that will happen can be judged. */
export const completePlan: Rule = ({ plan, deployed, madeWhole }) => {
  if (!plan) return [];
  const said = [
    ...plan.gaps,
    ...(plan.saysComplete || madeWhole || plan.gaps.length > 0
      ? []
      : ["it does not say that it is complete (OpenTofu's plans never do)"]),
  ];
  const unsaid = said.length > 0 || plan.view === undefined ? [] : leftOut(plan, deployed);
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
  if (said.length === 0) return [];
  return [
    {
      rule: "complete-plan",
      subjects: said,
      message: `the plan cannot be judged: ${said.join(", ")}`,
      remedy:
        plan.gaps.length > 0
          ? "plan the whole view again: without -target, and to the end"
          : "make it with: rollout plan GROUP --out FILE, which knows that it is",
    },
  ];
};

/** A whole plan lists every deployed resource, the unchanged ones included; one that is gone outside is among its drift. */
function leftOut({ resources, drift }: Plan, { addresses }: Deployed): string[] {
  const listed = new Set([
    ...resources.flatMap(({ address, deposed }) => (deposed === undefined ? [address] : [])),
    ...drift.flatMap(({ address, action }) => (action === "delete" ? [address] : [])),
  ]);
  return [...addresses].filter((address) => !listed.has(address) && !address.startsWith("data.")).sort();
}
