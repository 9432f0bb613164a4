import { holdSchema, holding, type Hold } from "../../cluster/run/hold.js";
import { Kept } from "./kept.js";
import type { RunStore } from "./run-store.js";

const HOLD = new Kept("hold", holdSchema, "remove it with: rollout resume");

/**
 * What keeps the next group from being rolled; undefined where nothing does.
 * @param at milliseconds since 1970
 * @throws UserError where it cannot be read: a hold that nobody understands still holds
 */
export const readHold = async (store: RunStore, at: number): Promise<Hold | undefined> =>
  holding(await HOLD.read(store), at);

/** Puts another hold in place of what is there, or none. One that has ended by itself is none. */
export const changeHold = (
  store: RunStore,
  at: number,
  change: (hold: Hold | undefined) => Hold | undefined,
  overDamaged = false,
): Promise<void> => HOLD.change(store, (hold) => change(holding(hold, at)), overDamaged);
