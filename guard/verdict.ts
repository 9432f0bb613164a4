/**
 * The rules, in the order in which their violations are shown. They are published, and each is the name of its file but one:
 * `target-group` is `other-group` there, since a target group is something else on aws.
 */
export const RULE_IDS = [
  "complete-plan",
  "base-revision",
  "one-group",
  "one-batch",
  "group-in-flight",
  "target-group",
  "unattributed-change",
  "replace-not-delete",
  "freeze-kept",
  "tainted-replacement",
  "leave-hook-runs",
  "hooks-as-rendered",
  "config-consul-refresh",
  "data-volume-kept",
  "shared-kept",
  "image-as-desired",
] as const;

export type RuleId = (typeof RULE_IDS)[number];

/** One thing that is not allowed. */
export interface Violation {
  readonly rule: RuleId;
  /** The groups or addresses concerned, sorted. */
  readonly subjects: readonly string[];
  /** What would happen, with old and new values. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

export interface Verdict {
  readonly verdict: "accepted" | "rejected";
  /** The deployed groups that would change, sorted. */
  readonly touched: readonly string[];
  readonly violations: readonly Violation[];
  /** The user's own resources and data sources, those that do not change included, sorted. */
  readonly own: readonly string[];
}

/** `one-group: 2 groups are pending: …; set one back …` */
export function formatViolation({ rule, message, remedy }: Violation): string {
  return `${rule}: ${message}; ${remedy}`;
}
