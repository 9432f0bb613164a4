import { readFileSync } from "node:fs";
import { readPlan } from "../guard/plan/read-plan.js";
import { type PlanSummary, summarizePlan } from "./plan-summary.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { parseGroupName } from "../cluster/address.js";
import type { Intent } from "../cluster/run/intent.js";
import { follows } from "../guard/follows.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { findGroup } from "../cluster/find-group.js";
import { changesInPlace, isInPlaceNow } from "../cluster/in-place.js";
import { isNew, ownChanges } from "../cluster/pending.js";
import type { CheckResult } from "./check-result.js";
import { resultOf } from "./result-of.js";

/** What a plan does, and what the guard says of it. */
export interface JudgedPlan {
  readonly summary: PlanSummary;
  readonly result: CheckResult;
  /** How it is otherwise than the intent that it was held against; absent where it was held against none. */
  readonly departures?: readonly string[];
}

interface PlanToJudge {
  /** What `terraform show -json` prints of it. */
  readonly json: string;
  /** The plan itself. */
  readonly file: string;
  readonly view: string;
  /** Whether it may replace no more machines at once than `maxUnavailable` says. Default: no. */
  readonly inBatches?: boolean;
  /** What was approved. Default: nothing that it is held against. */
  readonly approved?: { readonly intent: Intent; readonly hasBegun: boolean } | undefined;
}

/** Judges a plan that was made just now. */
export function judgeMadePlan(
  { json, file, view, inBatches = false, approved }: PlanToJudge,
  { spec, deployed }: ClusterState,
): JudgedPlan {
  const plan = readPlan(new TextEncoder().encode(json));
  const standing = [...deployed.groups.values()].flatMap((group) => (isNew(group) ? [] : [group.name]));
  const pool = standing.includes(view) ? parseGroupName(view)?.pool : undefined;
  const steps = pool === undefined ? [] : gateSettingsOf(pool, spec).steps.map(({ title }) => title);
  const current = deployed.groups.get(view);
  const last = current?.revisions.at(-1);
  const settings =
    current && last && pool !== undefined
      ? [
          ...ownChanges(last.template ?? {}, findGroup(spec, view)),
          ...(isInPlaceNow(spec, deployed, view) ? changesInPlace(findGroup(spec, view), current) : []),
        ]
      : [];
  return {
    ...(approved ? { departures: follows(approved.intent, plan, approved.hasBegun) } : {}),
    result: resultOf(plan, { spec, deployed, inBatches }, readFileSync(file)),
    summary: {
      ...summarizePlan(plan, view, standing),
      ...(settings.length > 0 ? { settings } : {}),
      ...(steps.length > 0 ? { steps } : {}),
    },
  };
}
