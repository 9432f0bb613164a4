import { listed } from "./listed.js";

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

/**
 * The one violation of a rule by all that was found; none where nothing was.
 * @param found groups or addresses, each with what is wrong with it behind: `aws_instance.broker-1-0 (ami-0aaa -> ami-0bbb)`
 * @param text its message without the list
 */
export function refuse(
  rule: RuleId,
  found: readonly string[],
  { message, remedy }: Pick<Violation, "message" | "remedy">,
): Violation[] {
  if (found.length === 0) return [];
  const sorted = [...found].sort();
  const subjects = [...new Set(sorted.map((each) => SUBJECT.exec(each)?.[0] ?? each))];
  return violation(rule, subjects, { message: `${message}: ${listed(sorted)}`, remedy });
}

/** The same with a message of its own. */
export const violation = (
  rule: RuleId,
  subjects: readonly string[],
  text: Pick<Violation, "message" | "remedy">,
): Violation[] => [{ rule, subjects, ...text }];

/** Up to the first blank that is not in the key of an address: `aws_alarm.busy["a b"]`. */
const SUBJECT = /^(?:"(?:\\.|[^"\\])*"|[^\s"])+/;

/** `one-group: 2 groups are pending: …; set one back …` */
export function formatViolation({ rule, message, remedy }: Violation): string {
  return `${rule}: ${message}; ${remedy}`;
}
