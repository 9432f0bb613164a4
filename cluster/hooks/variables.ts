/**
 * Terraform's variables of a view. Their names are a contract: they stand in plans, and a plan is judged by another
 * process than the one that has synthesized its stack.
 */

/** The name of the view that a plan is of. */
export const VIEW_VARIABLE = "rollout_view";

/** The revision of each group that the view was made from. */
export const BASE_VARIABLE = "rollout_base";

/** The construct path of each resource of the user's own, by its address. A view without any does not declare it. */
export const OWN_VARIABLE = "rollout_own";

/**
 * The hosts of the group that a view rolls whose machines wait for a later batch. A view in which none waits does not
 * declare it.
 */
export const WAITING_VARIABLE = "rollout_waiting";

/** The numbers of the hosts of the group that a view rolls. A view in which they are 0, 1, 2 and so on does not declare it. */
export const NUMBERS_VARIABLE = "rollout_numbers";

/** Declared by a view that was made for a review, where it fails every plan. */
export const REVIEW_VARIABLE = "rollout_review_only";

/**
 * The gate of the group that a view rolls. Open: its `ready` proves that it is ready, and its revision is written. Closed:
 * `ready` proves nothing, the revision stays as it was, and the group stays in flight.
 */
export const GATE_VARIABLE = "rollout_gate";

export const GATES = ["open", "closed"] as const;

export type Gate = (typeof GATES)[number];

export const isGate = (value: unknown): value is Gate => value === "open" || value === "closed";

/** How a view refers to it. */
export const GATE_REFERENCE = `\${var.${GATE_VARIABLE}}`;

/** By which a create hook gets the id of its own resource, after which it names its mark. */
export const MARK_ENVIRONMENT = "ROLLOUT_MARK";

export const MARK_REFERENCE = "${self.id}";

/**
 * The folder, in that of a stack, where each create hook leaves a mark once it has ended. What records that hooks have ended
 * asks for them, since a resource stands in the state before its hook has ended.
 */
export const MARKS = "marks";

/** The file beside a synthesized stack that its hooks read: what the stack was made from, whatever is edited since. */
export const HOOK_FILE = "hooks.json";

/** By which the hook `ready` gets it. */
export const GATE_ENVIRONMENT = "ROLLOUT_GATE";
