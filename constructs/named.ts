import type { TerraformElement, TerraformResource } from "cdktf";

/**
 * Gives an element its address: exactly this name, without cdktf's hash. It must come right after construction, since
 * cdktf ignores it once the id has been read.
 */
export function named<T extends TerraformElement>(element: T, name: string): T {
  element.overrideLogicalId(name);
  return element;
}

/**
 * Lets a resource wait for addresses, as they are. Given to its constructor, cdktf would make a token of each, which in a
 * large group costs more than all the rest.
 */
export function waitFor(resource: TerraformResource, addresses: readonly string[] = []): void {
  if (addresses.length > 0) resource.dependsOn = [...addresses];
}

/** A reference to the id of a resource. */
export const idOf = (address: string): string => `\${${address}.id}`;
