import * as z from "zod";
import type { ClusterState } from "../../cluster/cluster-state.js";
import { goalSchema, missingOf, type Goal } from "../../cluster/run/goal.js";
import { changeKept, readKept, type Kept } from "./kept.js";
import type { RunStore } from "./run-store.js";

const GOAL: Kept<Goal> = {
  name: "goal",
  schema: z.object({ nonce: z.string(), goal: goalSchema.nullable() }).transform(({ goal }) => goal),
  remedy: "give it up with: rollout cancel",
};

/** What is to be rolled until it is reached, cancelled or replaced. @throws UserError where it cannot be read */
export const readGoal = (store: RunStore): Promise<Goal | undefined> => readKept(store, GOAL);

/** Puts a goal in place of another. @returns the one that is given up for it */
export async function setGoal(store: RunStore, goal: Goal): Promise<Goal | undefined> {
  let before: Goal | undefined;
  await changeKept(store, GOAL, (there) => ((before = there)?.command === goal.command ? there : goal));
  return before?.command === goal.command ? undefined : before;
}

/** Gives it up, also one that cannot be read. @returns what it was */
export async function dropGoal(store: RunStore): Promise<Goal | undefined> {
  let was: Goal | undefined;
  await changeKept(store, GOAL, (goal) => void (was = goal), true);
  return was;
}

/**
 * Forgets it where it is reached, so that another image that comes later does not bring it back.
 * @param isDeclined somebody has said no, which counts where no group has it yet
 */
export async function settleGoal(
  store: RunStore,
  { deployed }: Pick<ClusterState, "deployed">,
  isDeclined = false,
): Promise<void> {
  const goal = await readGoal(store);
  const missing = goal && missingOf(goal, deployed).length;
  if (missing === 0 || (isDeclined && missing === goal?.groups.length)) await dropGoal(store);
}
