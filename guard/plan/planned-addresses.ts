import { asList, asObject, asText, type Fields } from "./fields.js";

type Fail = (why: string) => never;

/** The address of every managed resource that will be there afterwards, by `planned_values`, those of modules included. */
export function plannedAddresses(json: Fields, fail: Fail): string[] {
  const values = asObject(json["planned_values"], "planned_values", fail);
  const addresses: string[] = [];
  const modules: unknown[] = [values["root_module"]];
  while (modules.length > 0) {
    const module = asObject(modules.pop(), "a module of planned_values", fail);
    for (const entry of asList(module["resources"] ?? [], "resources of planned_values", fail)) {
      const resource = asObject(entry, "a resource of planned_values", fail);
      const address = asText(resource["address"], "the address of a resource of planned_values", fail);
      if (resource["mode"] === "managed") addresses.push(address);
    }
    modules.push(...asList(module["child_modules"] ?? [], "child_modules of planned_values", fail));
  }
  return addresses;
}
