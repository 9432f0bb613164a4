import type { ClusterState } from "../cluster/cluster-state.js";
import { groupsTouched, withoutRelics } from "./change.js";
import { readDeclared, wiringOf } from "./declared.js";
import { foreseeChanges } from "./foresee.js";
import { forgottenBy } from "./leftovers.js";
import { changesOf } from "./plan/plan-changes.js";
import type { Plan } from "./plan/plan.js";
import { ownIn } from "./own-blocks.js";
import type { Proposal, Rule } from "./proposal.js";
import { baseRevision, otherCluster } from "./rules/base-revision.js";
import { completePlan } from "./rules/complete-plan.js";
import { configConsulRefresh } from "./rules/config-consul-refresh.js";
import { dataVolumeKept } from "./rules/data-volume-kept.js";
import { freezeKept } from "./rules/freeze-kept.js";
import { groupInFlight } from "./rules/group-in-flight.js";
import { hooksAsRendered } from "./rules/hooks-as-rendered.js";
import { imageAsDesired } from "./rules/image-as-desired.js";
import { leaveHookRuns } from "./rules/leave-hook-runs.js";
import { oneBatch } from "./rules/one-batch.js";
import { oneGroup } from "./rules/one-group.js";
import { otherGroup } from "./rules/other-group.js";
import { replaceNotDelete } from "./rules/replace-not-delete.js";
import { sharedKept } from "./rules/shared-kept.js";
import { taintedReplacement } from "./rules/tainted-replacement.js";
import { unattributedChange } from "./rules/unattributed-change.js";
import { readHeader } from "./stack-header.js";
import { refuse, RULE_IDS, type RuleId, type Verdict } from "./verdict.js";

const RULES: Readonly<Record<RuleId, Rule>> = {
  "complete-plan": completePlan,
  "base-revision": baseRevision,
  "one-group": oneGroup,
  "one-batch": oneBatch,
  "group-in-flight": groupInFlight,
  "target-group": otherGroup,
  "unattributed-change": unattributedChange,
  "replace-not-delete": replaceNotDelete,
  "freeze-kept": freezeKept,
  "tainted-replacement": taintedReplacement,
  "leave-hook-runs": leaveHookRuns,
  "hooks-as-rendered": hooksAsRendered,
  "config-consul-refresh": configConsulRefresh,
  "data-volume-kept": dataVolumeKept,
  "shared-kept": sharedKept,
  "image-as-desired": imageAsDesired,
};

/** Judges what a view changes against what is deployed and which group may change. All violations at once. */
function judge(proposal: Proposal): Verdict {
  const stranger = otherCluster(proposal);
  const violations = stranger ? [stranger] : RULE_IDS.flatMap((id) => RULES[id](proposal));
  return {
    verdict: violations.length === 0 ? "accepted" : "rejected",
    touched: groupsTouched(proposal.changes),
    violations,
    own: ownIn(proposal),
  };
}

/** The configuration that a saved plan was made with, and that its apply runs the hooks of. */
export interface SavedConfiguration {
  readonly stack: unknown;
  /** The names of the files that this program did not write. */
  readonly others: readonly string[];
}

/**
 * Judges what Terraform's plan says. The view is the one that the plan names.
 * @param configuration what a saved plan was made with; it is judged like a stack that is synthesized
 */
export function judgePlan(
  plan: Plan,
  {
    configuration,
    ...context
  }: ClusterState & Pick<Proposal, "inBatches"> & { readonly configuration?: SavedConfiguration },
): Verdict {
  const view = plan.view ?? "unknown";
  const target = view === "cluster" ? undefined : view;
  const verdict = judge({
    ...context,
    view,
    target,
    declared: [],
    wiring: plan.wiring,
    laterHosts: plan.laterHosts,
    numbers: plan.numbers,
    plan,
    changes: withoutRelics(changesOf(plan), plan.wiring),
  });
  if (!configuration || verdict.violations.length > 0) return verdict;
  const { spec, deployed } = context;
  const { stack, others } = configuration;
  const { violations } = judgeSynthesized(
    { view, target, spec, deployed, laterHosts: plan.laterHosts, numbers: plan.numbers },
    stack,
  );
  const found = [
    ...refuse("unattributed-change", others, {
      message: "the plan was made with files that this program did not write",
      remedy: "remove them, and plan the stack as it is synthesized",
    }),
    ...violations,
  ];
  return found.length > 0 ? { ...verdict, verdict: "rejected", violations: found } : verdict;
}

/** Judges a synthesized stack, escape hatches included. */
export function judgeSynthesized(
  view: Omit<Proposal, "changes" | "declared" | "header" | "wiring">,
  stack: unknown,
): Verdict {
  const declared = readDeclared(stack);
  const header = readHeader(stack);
  const wiring = wiringOf(declared, stack);
  return judge({
    ...view,
    declared,
    header,
    wiring,
    changes: withoutRelics(
      foreseeChanges(declared, view.deployed, forgottenBy(header.removed, view)),
      wiring,
    ),
  });
}
