import { describePending, pendingGroups } from "../../spec/pending.js";
import type { Rule } from "../proposal.js";

/** A spec that leaves more than one group pending is refused, unless it says that they queue. */
export const oneGroup: Rule = ({ spec, deployed }) => {
  if (spec.rollout.pendingGroups === "queue" || spec.protection === "off") return [];
  const pending = pendingGroups(spec, deployed);
  if (pending.length < 2) return [];
  const described = pending.map((group) => {
    const current = deployed.groups.get(group.name);
    return current ? `${group.name} (${describePending(group, current)})` : group.name;
  });
  return [
    {
      rule: "one-group",
      subjects: pending.map(({ name }) => name).sort(),
      message: `${String(pending.length)} groups are pending, one may be: ${described.sort().join(", ")}`,
      remedy: "set all but one back, or set rollout.pendingGroups: queue to roll them one after another",
    },
  ];
};
