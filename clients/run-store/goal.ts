import type { ClusterState } from "../../cluster/cluster-state.js";
import { goalSchema, missingOf, type Goal } from "../../cluster/run/goal.js";
import { Kept } from "./kept.js";
import type { RunStore } from "./run-store.js";

const GOAL = new Kept("goal", goalSchema, "give it up with: rollout cancel");

/** What is to be rolled until it is reached, cancelled or replaced. @throws UserError where it cannot be read */
export const readGoal = (store: RunStore): Promise<Goal | undefined> => GOAL.read(store);

/** Puts a goal in place of another; the same stays. @returns what was there */
export async function setGoal(store: RunStore, goal: Goal | undefined): Promise<Goal | undefined> {
  let was: Goal | undefined;
  const change = (there: Goal | undefined) => ((was = there)?.command === goal?.command ? there : goal);
  await GOAL.change(store, change, goal === undefined);
  return was;
}

/** Whether no group has been given its image. */
export const isUntouched = (goal: Goal, { deployed }: ClusterState): boolean =>
  missingOf(goal, deployed).length === goal.groups.length;

/** Forgets it where it is reached, so that another image that comes later does not bring it back. */
export async function settleGoal(store: RunStore, { deployed }: ClusterState): Promise<void> {
  const goal = await readGoal(store);
  if (goal && missingOf(goal, deployed).length === 0) await setGoal(store, undefined);
}
