import type { ITerraformDependable, TerraformElement } from "cdktf";

/**
 * Gives an element its address: exactly this name, without cdktf's hash. It must come right after construction, since
 * cdktf ignores it once the id has been read.
 */
export function named<T extends TerraformElement>(element: T, name: string): T {
  element.overrideLogicalId(name);
  return element;
}

/** Addresses as cdktf wants them in `dependsOn`. */
export const dependables = (addresses: readonly string[]): ITerraformDependable[] =>
  addresses.map((fqn) => ({ fqn }));

/** A reference to the id of a resource. */
export const idOf = (address: string): string => `\${${address}.id}`;
