import { isUnknown, type Unknown } from "./observation.js";

export type Known<V> = { readonly [K in keyof V]: Exclude<V[K], Unknown> };

/** Whether all of these could be asked. */
export function isKnown<V extends object>(values: V): values is V & Known<V> {
  return Object.values(values).every((value) => !isUnknown(value));
}

/** What could not be asked, and why: `nodes: 500 No cluster leader`. */
export function unknowns(values: object): string[] {
  return Object.entries(values).flatMap(([name, value]: readonly [string, unknown]) =>
    isUnknown(value) ? [`${name}: ${value.unknown}`] : [],
  );
}
