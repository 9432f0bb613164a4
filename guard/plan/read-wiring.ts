import { parseAddress } from "../../cluster/address.js";
import type { Provisioner, Wiring } from "../wiring.js";
import { asList, asObject, asText, optional, type Fields } from "./fields.js";
import type { PlannedResource } from "./plan.js";

type Fail = (why: string) => never;

/**
 * What the members of groups run and wait for, from the plan's `configuration`. Every member that will be there must
 * stand in it; those that only go have none any more.
 */
export function readWiring(json: Fields, resources: readonly PlannedResource[], fail: Fail): Wiring[] {
  const where = "configuration.root_module.resources";
  const root = optional(optional(json, "configuration"), "root_module");
  const wiring = asList(optional(root, "resources") ?? [], where, fail).flatMap((entry, index): Wiring[] => {
    const fields = asObject(entry, `${where}[${String(index)}]`, fail);
    const address = asText(fields["address"], `${where}[${String(index)}].address`, fail);
    const member = parseAddress(address);
    if (!member) return [];
    const texts = (key: string): string[] =>
      asList(fields[key] ?? [], `${key} of ${address}`, fail).map((each) =>
        asText(each, `${key} of ${address}`, fail),
      );
    const provisioners = asList(fields["provisioners"] ?? [], `provisioners of ${address}`, fail);
    return [
      {
        address,
        member,
        provisioners: provisioners.map((each) =>
          provisionerOf(asObject(each, `a provisioner of ${address}`, fail)),
        ),
        after: texts("depends_on"),
      },
    ];
  });
  const known = new Set(wiring.map(({ address }) => address));
  if (known.size < wiring.length) fail("the configuration has an address twice");
  const unknown = resources.find(
    ({ address, after }) => after !== null && !known.has(address) && parseAddress(address),
  );
  if (unknown) fail(`the configuration does not say what ${unknown.address} is`);
  return wiring;
}

function provisionerOf({ type, expressions }: Fields): Provisioner {
  const { command, environment, ...others } = isFields(expressions) ? expressions : {};
  const given = optional(environment, "constant_value");
  const constant = optional(command, "constant_value");
  const isLocalExec = type === "local-exec";
  return {
    command: typeof constant === "string" ? constant : "a command that is not known before it runs",
    environment: isFields(given) ? given : environment === undefined ? {} : { unknown: environment },
    others: [...(isLocalExec ? [] : [String(type)]), ...Object.keys(others)].sort(),
  };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
