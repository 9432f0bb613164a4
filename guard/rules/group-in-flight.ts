import { inFlightOf, isNew } from "../../cluster/pending.js";
import { forgottenVolumes } from "../forgotten-volumes.js";
import type { Proposal, Rule } from "../proposal.js";
import { violation, type Violation } from "../verdict.js";
import { listed } from "../listed.js";

/** No group is rolled while another is in flight or was created in part: that one is finished first. */
export const groupInFlight: Rule = (proposal) => [...otherInFlight(proposal), ...otherInCreation(proposal)];

function otherInFlight(proposal: Proposal): Violation[] {
  const { target, spec, deployed } = proposal;
  // Nothing of its roll would bring back a volume that the state has lost, which is refused for itself.
  const lost = new Set(forgottenVolumes(proposal).map((address) => `${address} is missing`));
  const first = inFlightOf(spec, deployed).find(
    ({ reasons }) => !reasons.every((reason) => lost.has(reason)),
  );
  if (!first || target === undefined || target === first.group) return [];
  return violation("group-in-flight", [first.group], {
    message: `${target} cannot be rolled while ${first.group} is in flight: ${listed(first.reasons)}`,
    remedy: `finish it first with: rollout deploy ${first.group}`,
  });
}

/** What is tainted in a new group would be replaced by any view, or fail it, since no freeze holds a taint. */
function otherInCreation({ target, deployed }: Proposal): Violation[] {
  if (target === undefined) return [];
  const tainted = [...deployed.groups.values()]
    .filter((group) => isNew(group) && group.name !== target)
    .flatMap((group) => group.tainted)
    .sort();
  if (tainted.length === 0) return [];
  return violation("group-in-flight", tainted, {
    message: `${target} cannot be rolled while the creation of another group has failed half-way: ${tainted.join(", ")} ${tainted.length === 1 ? "is" : "are"} tainted`,
    remedy: "finish that first with: npx rollout deploy cluster",
  });
}
