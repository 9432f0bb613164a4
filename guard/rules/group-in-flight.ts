import { groupsInFlight } from "../../spec/pending.js";
import type { Rule } from "../proposal.js";

/** No group is rolled while another is in flight: that one is finished first. */
export const groupInFlight: Rule = ({ target, spec, deployed }) => {
  const first = groupsInFlight(deployed, spec.platform)[0];
  if (!first || target === undefined || target === first.group) return [];
  return [
    {
      rule: "group-in-flight",
      subjects: [first.group],
      message: `${target} cannot be rolled while ${first.group} is in flight: ${first.reasons.join(", ")}`,
      remedy: `finish it first with: cdktf deploy ${first.group}`,
    },
  ];
};
