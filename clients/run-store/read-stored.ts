import type * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import type { RunStore } from "./run-store.js";

/**
 * What an object of this program's own says; undefined where there is none.
 * @param remedy for one that says something else
 * @throws UserError with it
 */
export async function readStored<T>(
  store: RunStore,
  name: string,
  schema: z.ZodType<T>,
  remedy: string,
): Promise<{ readonly value: T; readonly tag: string; readonly ageMs: number } | undefined> {
  const found = await store.read(name);
  if (found === undefined) return undefined;
  try {
    return { value: schema.parse(JSON.parse(found.text)), tag: found.tag, ageMs: found.ageMs };
  } catch {
    throw new UserError(`${store.where}/${name} is damaged, so nothing is rolled; ${remedy}`);
  }
}
