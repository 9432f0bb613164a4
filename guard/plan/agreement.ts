import { listed } from "../listed.js";
import { isSame } from "./contradiction.js";
import { own } from "../../cluster/raw.js";
import { asList, asObject, asText, fail, type Fields } from "./fields.js";
import type { PlannedResource } from "./plan.js";

/**
 * Where a plan says otherwise in one of its parts than in another. It says four times what is there and what becomes of
 * it: in the state that it was made from, in the changes, in the values afterwards and in the configuration. A plan of
 * Terraform's that is whole never differs; one that leaves something out, as with -target, or was edited does. OpenTofu
 * does not say whether a plan is whole, so this is how it is told.
 */
export function disagreementsIn(json: Fields, resources: readonly PlannedResource[]): string[] {
  const prior = objectsIn(own(json["prior_state"], "values") ?? NOTHING, "prior_state");
  const planned = objectsIn(json["planned_values"], "planned_values");
  const changes = new Map(resources.map((resource) => [objectOf(resource), resource]));
  const unsaid = [...new Set([...declaredIn(json), ...planned.keys(), ...prior.keys()])];
  const others = [...changes].filter(
    // What is not there is null in a change, and has no entry or no values in the other parts.
    ([object, { before, after }]) =>
      !isSame(before ?? undefined, prior.get(object)) || !isSame(after ?? undefined, planned.get(object)),
  );
  return [
    ...said(
      "it does not say what happens to",
      unsaid.filter((object) => !changes.has(object)),
    ),
    ...said(
      "its state, its changes and its values differ about",
      others.map(([object]) => object),
    ),
  ];
}

/** Terraform leaves `prior_state` out where the state is empty. */
const NOTHING = { root_module: {} };

const said = (what: string, objects: readonly string[]): string[] =>
  objects.length > 0 ? [`${what} ${listed([...objects].sort())}`] : [];

/** An object by its address, and by its key where it is deposed. */
const objectOf = ({ address, deposed }: Pick<PlannedResource, "address" | "deposed">): string =>
  deposed === undefined ? address : `${address} (deposed ${deposed})`;

/** The values of every managed object in a part of the plan, those of modules included. */
function objectsIn(values: unknown, part: string): ReadonlyMap<string, unknown> {
  const objects = new Map<string, unknown>();
  const modules: unknown[] = [asObject(values, part)["root_module"]];
  while (modules.length > 0) {
    const module = asObject(modules.pop(), `a module of ${part}`);
    for (const entry of asList(module["resources"] ?? [], `resources of ${part}`)) {
      const resource = asObject(entry, `a resource of ${part}`);
      const address = asText(resource["address"], `the address of a resource of ${part}`);
      const key = resource["deposed_key"];
      const deposed = key === undefined ? {} : { deposed: asText(key, `deposed_key of ${address}`) };
      const object = objectOf({ address, ...deposed });
      if (objects.has(object)) fail(`${object} stands twice in ${part}`);
      if (resource["mode"] === "managed") objects.set(object, resource["values"]);
    }
    modules.push(...asList(module["child_modules"] ?? [], `child_modules of ${part}`));
  }
  return objects;
}

/** What the configuration declares by a plain address: with `count` or `for_each` there may be none of it. */
function declaredIn(json: Fields): string[] {
  const root = own(own(json, "configuration"), "root_module");
  return asList(own(root, "resources") ?? [], "configuration.root_module.resources").flatMap((resource) => {
    const address = own(resource, "address");
    const isPlain = ["count_expression", "for_each_expression"].every(
      (key) => own(resource, key) === undefined,
    );
    return own(resource, "mode") === "managed" && isPlain && typeof address === "string" ? [address] : [];
  });
}
