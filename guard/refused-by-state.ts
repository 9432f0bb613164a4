import type { Deployed } from "../cluster/deployed.js";
import { findGroup } from "../cluster/find-group.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { volumesForgotten, volumesToShrink } from "./rules/data-volume-kept.js";
import { leavesUnasked } from "./rules/leave-hook-runs.js";
import { neverDestroyed } from "./rules/tainted-replacement.js";
import type { Violation } from "./verdict.js";

/**
 * Why synth would refuse the view of a group, as far as that is seen in the state alone: the very checks of the rules, before
 * a stack is made. None is no promise.
 */
export function refusedByState(spec: Spec, deployed: Deployed, group: string): Violation[] {
  if (spec.protection === "off") return [];
  const proposal = { spec, deployed, view: group, target: group };
  return [
    ...neverDestroyed(proposal),
    ...leavesUnasked(findGroup(spec, group), proposal),
    ...volumesForgotten(proposal),
    ...volumesToShrink(proposal),
  ];
}
