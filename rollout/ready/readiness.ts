import type { Observation } from "../observation/observation.js";
import { listConditions } from "../server-lists.js";
import type { Condition } from "./condition.js";
import type { Expected } from "./expected.js";
import { nodesEligible, registeredConditions } from "./registered.js";
import { imageConditions } from "./runs-image.js";
import { checkConditions, servicesCondition, targetsCondition } from "./services.js";
import { voteConditions } from "./votes.js";
import { workBackCondition } from "./work-back.js";

/** Whether a group is whole again, and what is in the way. */
export interface Readiness {
  readonly group: string;
  /** When it was observed. */
  readonly at: number;
  readonly conditions: readonly Condition[];
  /** Whether every condition is met; it counts once it has held for the bake time. */
  readonly passed: boolean;
  /** The last two tries of each check that passes began since then, and passed. */
  readonly passedTwiceSince: number;
}

/** Judges a new group by what is observed, and by nothing else. */
export function readiness(observation: Observation, expected: Expected): Readiness {
  const isClient = expected.role === "client";
  const conditions = [
    ...registeredConditions(observation, expected),
    ...imageConditions(observation, expected),
    ...(isClient ? [nodesEligible(observation, expected)] : voteConditions(observation, expected)),
    servicesCondition(observation, expected),
    ...(isClient && expected.workload === "stays" ? [workBackCondition(observation, expected)] : []),
    ...(expected.hasLoadBalancer ? [targetsCondition(observation, expected)] : []),
    ...listConditions(observation, expected.group),
    ...checkConditions(observation, expected),
  ];
  return {
    group: expected.group,
    at: observation.at,
    conditions,
    passed: conditions.every(({ status }) => status === "met"),
    passedTwiceSince: Math.min(
      ...observation.checks.map(({ passed, passedAt = -Infinity }) => (passed ? passedAt : Infinity)),
    ),
  };
}
