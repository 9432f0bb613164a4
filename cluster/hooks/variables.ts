/**
 * The gate of the group that a view rolls, as Terraform's variable of this name. Open: its `ready` proves that it is whole,
 * and its revision is written. Closed: `ready` proves nothing, the revision stays as it was, and the group stays in flight.
 */
export const GATE_VARIABLE = "rollout_gate";

export const GATES = ["open", "closed"] as const;

export type Gate = (typeof GATES)[number];

export const isGate = (value: unknown): value is Gate => value === "open" || value === "closed";

/** How a view refers to it. */
export const GATE_REFERENCE = `\${var.${GATE_VARIABLE}}`;

/** What the hook `ready` is told of it by. */
export const GATE_ENVIRONMENT = "ROLLOUT_GATE";

/**
 * The hosts of the group that a view rolls whose machines wait for a later batch, as Terraform's variable of this name. A
 * view in which none waits does not declare it.
 */
export const WAITING_VARIABLE = "rollout_waiting";
