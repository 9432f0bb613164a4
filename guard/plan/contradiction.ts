import { isMap } from "../../cluster/raw.js";
import type { PlannedResource } from "./plan.js";

/** The combinations of actions that Terraform writes, and whether there is an object before and after each. */
const OBJECTS: Readonly<Record<string, readonly [before: boolean, after: boolean]>> = {
  create: [false, true],
  read: [false, true],
  update: [true, true],
  "delete,create": [true, true],
  "create,delete": [true, true],
  "create,forget": [true, true],
  delete: [true, false],
  forget: [true, false],
};

/** The parts of an entry of `resource_changes` that name the same thing twice. */
export interface Identity {
  readonly address: string;
  readonly moduleAddress: string | undefined;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly index: unknown;
}

/** Whether an address is made of the other parts. How a key is quoted is Terraform's own business. */
export function isAddressOf({ address, moduleAddress, mode, type, name, index }: Identity): boolean {
  const module = moduleAddress === undefined ? "" : `${moduleAddress}.`;
  const plain = `${module}${mode === "data" ? "data." : ""}${type}.${name}`;
  if (index === undefined) return address === plain;
  if (typeof index === "number") return address === `${plain}[${String(index)}]`;
  return address.startsWith(`${plain}["`) && address.endsWith('"]');
}

/**
 * What an entry says of itself that cannot be: a `no-op` whose values differ, a deletion after which the object is there.
 * A plan of Terraform's never does; one that was damaged or edited must not be taken for less than it is.
 */
export function contradictionIn({
  actions,
  before,
  after,
}: Pick<PlannedResource, "actions" | "before" | "after">): string | undefined {
  const said = actions.join(",");
  if (said === "no-op") return isSame(before, after) ? undefined : "its values differ";
  const objects = OBJECTS[said];
  // What a newer format says is no contradiction: it is rejected for itself.
  if (!objects) return undefined;
  const [hasBefore, hasAfter] = objects;
  if (hasBefore !== isMap(before)) return hasBefore ? "nothing was there before" : "it was there before";
  return hasAfter === isMap(after) ? undefined : `it would ${hasAfter ? "not " : ""}be there afterwards`;
}

export const isKnownCombination = (actions: readonly string[]): boolean =>
  actions.join() === "no-op" || Object.hasOwn(OBJECTS, actions.join());

/** Whether two values of parsed JSON are the same. Written out, since it is asked of every resource of a plan. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  let keys = 0;
  for (const key in a) {
    if (!Object.hasOwn(b, key)) return false;
    if (!isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
    keys++;
  }
  return keys === Object.keys(b).length;
}
