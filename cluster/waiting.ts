/**
 * The hosts of the group that a view rolls whose machines wait for a later batch, as Terraform's variable of this name. A
 * view in which none waits does not declare it.
 */
export const WAITING_VARIABLE = "rollout_waiting";
