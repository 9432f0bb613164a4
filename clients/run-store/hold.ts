import { holdSchema, type Hold } from "../../cluster/run/hold.js";
import { Kept } from "./kept.js";
import type { RunStore } from "./run-store.js";

const HOLD = new Kept("hold", holdSchema, "remove it with: rollout resume");

/**
 * What keeps the next group from being rolled; undefined where nothing does.
 * @throws UserError where it cannot be read: a hold that nobody understands still holds
 */
export const readHold = (store: RunStore): Promise<Hold | undefined> => HOLD.read(store);

/** Puts another hold in place of what is there, or none. */
export const changeHold: typeof HOLD.change = (...args) => HOLD.change(...args);
