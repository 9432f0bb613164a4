import { countedPending, describePending, inFlightOf, isNew } from "../../cluster/pending.js";
import { describeChange, groupsTouched } from "../change.js";
import { isEndOfLeftover } from "../leftovers.js";
import type { Proposal, Rule } from "../proposal.js";
import { violation, type Violation } from "../verdict.js";

/** A spec that leaves more than one group pending is refused, unless it says that they queue. */
export const oneGroup: Rule = (proposal) => [...manyPending(proposal), ...manyTouched(proposal)];

function manyPending({ spec, deployed, plan }: Proposal): Violation[] {
  if (plan || spec.rollout.pendingGroups === "queue" || spec.protection === "off") return [];
  const pending = countedPending(spec, deployed);
  if (pending.length < 2) return [];
  const described = pending.map((group) => {
    const current = deployed.groups.get(group.name);
    return current ? `${group.name} (${describePending(group, current)})` : group.name;
  });
  const begun = inFlightOf(spec, deployed).find(({ group }) => pending.some(({ name }) => name === group));
  const kept = begun ? `${begun.group}, which is in flight,` : "one";
  return violation("one-group", pending.map(({ name }) => name).sort(), {
    message: `${String(pending.length)} groups are pending, one may be: ${described.sort().join(", ")}`,
    remedy: `set all but ${kept} back, or set rollout.pendingGroups: queue to roll them one after another`,
  });
}

/** Whatever else a plan is about, it touches the machines of one deployed group. */
function manyTouched(proposal: Proposal): Violation[] {
  const { plan, changes, deployed, target } = proposal;
  if (!plan) return [];
  const isEnd = isEndOfLeftover(proposal);
  const touching = changes.filter(
    (change) =>
      change.from !== undefined ||
      (change.group !== undefined &&
        (change.member?.kind !== "config-consul" || change.displaced !== undefined) &&
        (target !== undefined || !isNew(deployed.groups.get(change.group))) &&
        !isEnd(change)),
  );
  const groups = groupsTouched(touching);
  if (groups.length < 2) return [];
  const described = groups.map((group) => {
    const own = touching.filter((change) => change.group === group || change.from === group);
    const first = own.find(({ member }) => member?.kind === "host") ?? own[0];
    return first
      ? `${group} (${describeChange(first)}${own.length > 1 ? ` and ${String(own.length - 1)} more` : ""})`
      : group;
  });
  return violation("one-group", groups, {
    message: `${String(groups.length)} groups would change in one plan: ${described.join(", ")}`,
    remedy: "plan the view of one group; all others are frozen there",
  });
}
