import { isNew } from "../../cluster/pending.js";
import { describeChange } from "../change.js";
import { isEndOfLeftover } from "../leftovers.js";
import type { Rule } from "../proposal.js";
import { refuse } from "../verdict.js";

/** Nothing changes in a group that the view is not for. Deletions and `config_consul` have rules of their own. */
export const otherGroup: Rule = (proposal) => {
  const { target, view, deployed, changes } = proposal;
  const isEnd = isEndOfLeftover(proposal);
  const mayChange = (group: string): boolean =>
    target === undefined ? isNew(deployed.groups.get(group)) : group === target;
  const foreign = changes.filter((change) => {
    const { group, action, member } = change;
    if (group === undefined || mayChange(group) || isEnd(change)) return false;
    return action !== "delete" && member?.kind !== "config-consul";
  });
  const groups = [...new Set(foreign.map(({ group }) => group ?? ""))].sort();
  return groups.flatMap((group) => {
    const own = foreign.filter((change) => change.group === group);
    return refuse("target-group", own.map(describeChange), {
      message: `${group} would change in the view ${view}`,
      remedy: isNew(deployed.groups.get(group))
        ? "new groups come by: npx rollout deploy cluster"
        : `declare ${group} there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view`,
    });
  });
};
