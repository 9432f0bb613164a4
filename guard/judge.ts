import { readDeclared } from "./declared.js";
import { foreseeChanges } from "./foresee.js";
import type { Proposal, Rule } from "./proposal.js";
import { configConsulRefresh } from "./rules/config-consul-refresh.js";
import { dataVolumeKept } from "./rules/data-volume-kept.js";
import { freezeKept } from "./rules/freeze-kept.js";
import { groupInFlight } from "./rules/group-in-flight.js";
import { imageAsDesired } from "./rules/image-as-desired.js";
import { leaveHookRuns } from "./rules/leave-hook-runs.js";
import { oneGroup } from "./rules/one-group.js";
import { replaceNotDelete } from "./rules/replace-not-delete.js";
import { sharedKept } from "./rules/shared-kept.js";
import { targetGroup } from "./rules/target-group.js";
import { unattributedChange } from "./rules/unattributed-change.js";
import { RULE_IDS, type RuleId, type Verdict } from "./verdict.js";

const RULES: Readonly<Record<RuleId, Rule>> = {
  "one-group": oneGroup,
  "group-in-flight": groupInFlight,
  "target-group": targetGroup,
  "unattributed-change": unattributedChange,
  "replace-not-delete": replaceNotDelete,
  "freeze-kept": freezeKept,
  "leave-hook-runs": leaveHookRuns,
  "config-consul-refresh": configConsulRefresh,
  "data-volume-kept": dataVolumeKept,
  "shared-kept": sharedKept,
  "image-as-desired": imageAsDesired,
};

/** Judges what a view changes against what is deployed and which group may change. All violations at once. */
function judge(proposal: Proposal): Verdict {
  const violations = RULE_IDS.flatMap((id) => RULES[id](proposal));
  const touched = proposal.changes.flatMap(({ group }) => (group === undefined ? [] : [group]));
  return {
    verdict: violations.length === 0 ? "accepted" : "rejected",
    touched: [...new Set(touched)].sort(),
    violations,
  };
}

/** Judges a synthesized stack, escape hatches included. */
export function judgeSynthesized(view: Omit<Proposal, "changes" | "declared">, stack: unknown): Verdict {
  const declared = readDeclared(stack);
  return judge({ ...view, declared, changes: foreseeChanges(declared, view.deployed) });
}
