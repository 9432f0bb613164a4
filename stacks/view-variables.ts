import { Annotations, TerraformVariable, type TerraformStack } from "cdktf";
import { literal } from "../constructs/revision-record.js";
import { isForReview, type Deployed } from "../cluster/deployed.js";
import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  GATES,
  NUMBERS_VARIABLE,
  REVIEW_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../cluster/hooks/variables.js";

/** When the group of a view may not begin. Milliseconds since 1970. */
export interface Held {
  /** Not before; Infinity where it holds until somebody takes it away. Default: it may now. */
  readonly until?: number;
  /** Not after. Default: that has no end. */
  readonly closes?: number;
  /** With what comes first. */
  readonly why: string;
  /** The same once it has closed. Default: {@link why} */
  readonly closed?: string;
}

const [LONG_AGO, FAR_AHEAD] = ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"];

/** Terraform refuses to plan such a view before and after a time, so that nothing of its group begins. */
export function addPace(
  stack: TerraformStack,
  { until = 0, closes = Infinity, why, closed = why }: Held,
): void {
  const from = until === 0 ? LONG_AGO : timeOf(until + 999);
  const add = (name: string, time: string, order: string, error: string): void => {
    const condition = `\${timecmp(plantimestamp(), var.${name}) ${order} 0}`;
    const validation = [{ condition, errorMessage: literal(error) }];
    new TerraformVariable(stack, name, { type: "string", default: time, validation });
  };
  add("rollout_not_before", from, ">=", why);
  add("rollout_not_after", timeOf(closes), "<=", closed);
  if (until === 0) return;
  Annotations.of(stack).addWarning(until === Infinity ? why : `not before ${from}: ${why}`);
}

/** Terraform's clock has no fractions. */
const timeOf = (at: number): string =>
  at === Infinity ? FAR_AHEAD : new Date(at).toISOString().replace(/\.\d+/, "");

/**
 * What a view was made from stands in two variables of its plan: `rollout_view`, its name, and `rollout_base`, the revision
 * of each group. `rollout_gate` is the driver's, and so is `rollout_waiting`: where machines of the group wait for a later
 * batch, the gate cannot be open. `rollout_numbers` stands there where the hosts of the group are not counted from 0.
 */
export function addVariables(
  stack: TerraformStack,
  deployed: Deployed,
  laterHosts: readonly string[],
  numbers: readonly number[] | undefined,
): void {
  new TerraformVariable(stack, VIEW_VARIABLE, {
    type: "string",
    default: stack.node.id,
    description: "The view that this plan is of.",
  });
  const base = new TerraformVariable(stack, BASE_VARIABLE, {
    type: "map(number)",
    description: "The revision of each group that this view was made from.",
  });
  // Overridden, since cdktf would turn the hyphens of the groups' names into underscores.
  base.addOverride(
    "default",
    Object.fromEntries(
      [...deployed.groups.values()].map(({ name, revisions }) => [name, revisions.at(-1)?.number ?? 0]),
    ),
  );
  if (laterHosts.length > 0) {
    new TerraformVariable(stack, WAITING_VARIABLE, {
      type: "list(string)",
      default: [...laterHosts],
      description: "The hosts whose machines wait for a later batch.",
    });
  }
  if (numbers) {
    new TerraformVariable(stack, NUMBERS_VARIABLE, {
      type: "list(number)",
      default: [...numbers],
      description: "The numbers of the group's hosts.",
    });
  }
  new TerraformVariable(stack, GATE_VARIABLE, {
    type: "string",
    default: "open",
    description: "Whether the group that this view rolls is proven whole and recorded, or stays in flight.",
    validation: [
      {
        condition: `\${contains(${JSON.stringify(laterHosts.length > 0 ? ["closed"] : GATES)}, var.${GATE_VARIABLE})}`,
        errorMessage:
          laterHosts.length > 0
            ? `This view leaves machines of ${stack.node.id} for a later batch, so it proves nothing. Run: rollout deploy ${stack.node.id}`
            : `${GATE_VARIABLE} is open or closed.`,
      },
    ],
  });
  if (!isForReview(deployed.origin)) return;
  new TerraformVariable(stack, REVIEW_VARIABLE, {
    type: "bool",
    default: true,
    validation: [
      {
        condition: `\${!var.${REVIEW_VARIABLE}}`,
        errorMessage: `This view was made for a review, from ${deployed.origin.where} and not from the state. Unset ROLLOUT_DEPLOYED and synthesize again.`,
      },
    ],
  });
}
