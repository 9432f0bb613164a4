import { randomUUID } from "node:crypto";
import * as z from "zod";
import { holdSchema, type Hold } from "../../cluster/run/hold.js";
import { UserError } from "../../cluster/user-error.js";
import { readStored } from "./read-stored.js";
import type { RunStore } from "./run-store.js";

const HOLD = "hold";

const storedSchema = z.object({ nonce: z.string(), hold: holdSchema.nullable() });

/**
 * What keeps the next group from being rolled; undefined where nothing does.
 * @throws UserError where it cannot be read: a hold that nobody understands still holds
 */
export async function readHold(store: RunStore): Promise<Hold | undefined> {
  return (await see(store))?.value.hold ?? undefined;
}

const see = (store: RunStore) => readStored(store, HOLD, storedSchema, "remove it with: rollout resume");

/**
 * Puts another hold in place of what is there, or none.
 * @param change gets what is there, again where somebody else was quicker
 * @param overDamaged replaces one that cannot be read, too
 */
export async function changeHold(
  store: RunStore,
  change: (hold: Hold | undefined) => Hold | undefined,
  overDamaged = false,
): Promise<void> {
  for (;;) {
    const { value, tag } = (await (overDamaged ? seeAny(store) : see(store))) ?? {};
    const before = value?.hold ?? undefined;
    const after = change(before);
    if (after === before && value !== undefined) return;
    if (after === undefined && tag === undefined) return;
    const text = `${JSON.stringify({ nonce: randomUUID(), hold: after ?? null })}\n`;
    if ((await store.write(HOLD, text, tag)) !== undefined) return;
  }
}

async function seeAny(store: RunStore): Promise<Partial<Awaited<ReturnType<typeof see>>> | undefined> {
  try {
    return await see(store);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { tag: (await store.read(HOLD))?.tag ?? "" };
  }
}
