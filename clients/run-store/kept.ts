import { randomUUID } from "node:crypto";
import type * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import { readStored } from "./read-stored.js";
import type { RunStore } from "./run-store.js";

/** A value that stands in an object of its own, or none, until somebody changes it. */
export interface Kept<T> {
  /** The object's, and of the value in it. */
  readonly name: string;
  /** Of the whole object. */
  readonly schema: z.ZodType<T | null>;
  /** For one that cannot be read. */
  readonly remedy: string;
}

/** @throws UserError where it cannot be read */
export async function readKept<T>(store: RunStore, kept: Kept<T>): Promise<T | undefined> {
  return (await see(store, kept))?.value ?? undefined;
}

const see = <T>(store: RunStore, { name, schema, remedy }: Kept<T>) =>
  readStored(store, name, schema, remedy);

/**
 * Puts another value in place of what is there, or none.
 * @param change gets what is there, again where somebody else was quicker
 * @param overDamaged replaces one that cannot be read, too
 */
export async function changeKept<T>(
  store: RunStore,
  kept: Kept<T>,
  change: (value: T | undefined) => T | undefined,
  overDamaged = false,
): Promise<void> {
  for (;;) {
    const seen = await (overDamaged ? seeAny(store, kept) : see(store, kept));
    const before = seen?.value ?? undefined;
    const after = change(before);
    if (after === before && seen?.value !== undefined) return;
    if (after === undefined && seen === undefined) return;
    const text = `${JSON.stringify({ nonce: randomUUID(), [kept.name]: after ?? null })}\n`;
    if ((await store.write(kept.name, text, seen?.tag)) !== undefined) return;
  }
}

async function seeAny<T>(
  store: RunStore,
  kept: Kept<T>,
): Promise<{ readonly value?: T | null; readonly tag: string } | undefined> {
  try {
    return await see(store, kept);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { tag: (await store.read(kept.name))?.tag ?? "" };
  }
}
