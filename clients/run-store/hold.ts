import * as z from "zod";
import { holdSchema, type Hold } from "../../cluster/run/hold.js";
import { changeKept, readKept, type Kept } from "./kept.js";
import type { RunStore } from "./run-store.js";

const HOLD: Kept<Hold> = {
  name: "hold",
  schema: z.object({ nonce: z.string(), hold: holdSchema.nullable() }).transform(({ hold }) => hold),
  remedy: "remove it with: rollout resume",
};

/**
 * What keeps the next group from being rolled; undefined where nothing does.
 * @throws UserError where it cannot be read: a hold that nobody understands still holds
 */
export const readHold = (store: RunStore): Promise<Hold | undefined> => readKept(store, HOLD);

/** Puts another hold in place of what is there, or none, as {@link changeKept} does. */
export const changeHold = (
  store: RunStore,
  change: (hold: Hold | undefined) => Hold | undefined,
  overDamaged = false,
): Promise<void> => changeKept(store, HOLD, change, overDamaged);
