import { randomUUID } from "node:crypto";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import { readStored } from "./read-stored.js";
import type { RunStore } from "./run-store.js";

/** A value that stands in an object of its own, or none, until somebody changes it. */
export class Kept<T> {
  /**
   * @param name the object's, and of the value in it
   * @param remedy for one that cannot be read
   */
  constructor(
    private readonly name: string,
    private readonly schema: z.ZodType<T>,
    private readonly remedy: string,
  ) {}

  /** @throws UserError where it cannot be read */
  async read(store: RunStore): Promise<T | undefined> {
    return (await this.#see(store))?.value ?? undefined;
  }

  /**
   * Puts another value in place of what is there, or none.
   * @param change gets what is there, again where somebody else was quicker
   * @param overDamaged replaces one that cannot be read, too
   */
  async change(store: RunStore, change: (value: T | undefined) => T | undefined, overDamaged = false) {
    for (;;) {
      const seen = await this.#see(store, overDamaged);
      const before = seen?.value ?? undefined;
      const after = change(before);
      if (after === before && (seen === undefined || seen.value !== undefined)) return;
      const text = `${JSON.stringify({ nonce: randomUUID(), [this.name]: after ?? null })}\n`;
      if ((await store.write(this.name, text, seen?.tag)) !== undefined) return;
    }
  }

  async #see(
    store: RunStore,
    overDamaged = false,
  ): Promise<{ readonly value?: T | null; readonly tag: string } | undefined> {
    const stored = z.record(z.string(), z.unknown()).transform((object) => object[this.name]);
    try {
      return await readStored(store, this.name, stored.pipe(this.schema.nullable()), this.remedy);
    } catch (error) {
      if (!overDamaged || !(error instanceof UserError)) throw error;
      return { tag: (await store.read(this.name))?.tag ?? "" };
    }
  }
}
