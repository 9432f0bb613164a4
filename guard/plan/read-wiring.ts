import { parseAddress } from "../../cluster/address.js";
import { referencesIn, textsIn } from "../references.js";
import { nothingOf, type Provisioner, type Wiring } from "../wiring.js";
import { isMap, own } from "../../cluster/raw.js";
import { asList, asObject, asText, fail, type Fields } from "./fields.js";
import type { PlannedResource } from "./plan.js";

/**
 * What the blocks of the plan's `configuration` run, wait for and name. Every member that will be there must stand in it;
 * those that only go have none any more.
 */
export function readWiring(json: Fields, resources: readonly PlannedResource[]): Wiring[] {
  const where = "configuration.root_module.resources";
  const configuration = own(json, "configuration");
  const root = own(configuration, "root_module");
  const wiring = asList(own(root, "resources") ?? [], where).map((entry, index): Wiring => {
    const fields = asObject(entry, `${where}[${String(index)}]`);
    const address = asText(fields["address"], `${where}[${String(index)}].address`);
    const member = parseAddress(address);
    const texts = (key: string): string[] =>
      asList(fields[key] ?? [], `${key} of ${address}`).map((each) => asText(each, `${key} of ${address}`));
    const provisioners = asList(fields["provisioners"] ?? [], `provisioners of ${address}`);
    const provider = fields["provider_config_key"];
    const body = [
      fields["expressions"],
      fields["count_expression"],
      fields["for_each_expression"],
      provisioners,
    ];
    return {
      ...nothingOf(address),
      ...(member ? { member } : {}),
      provisioners: provisioners.map((each) => provisionerOf(asObject(each, `a provisioner of ${address}`))),
      after: texts("depends_on"),
      references: namedBy(body),
      ...(typeof provider === "string" ? { provider } : {}),
      body,
    };
  });
  const known = new Set(wiring.map(({ address }) => address));
  if (known.size < wiring.length) fail("the configuration has an address twice");
  const unknown = resources.find(
    ({ address, after }) => after !== null && !known.has(address) && parseAddress(address),
  );
  if (unknown) fail(`the configuration does not say what ${unknown.address} is`);
  return [
    ...wiring,
    ...entriesAt(configuration, "provider_config").map(([name, provider]) => providerOf(name, provider)),
    ...entriesAt(root, "module_calls").map(([name]) => nothingOf(`module.${name}`)),
    ...entriesAt(root, "actions").map(([, action]) =>
      nothingOf(`action.${textsIn([own(action, "type"), own(action, "name")]).join(".")}`),
    ),
  ];
}

function providerOf(key: string, provider: unknown): Wiring {
  const expressions = entriesAt(provider, "expressions");
  return {
    ...nothingOf(`provider.${key}`),
    references: namedBy(expressions),
    provider: String(own(provider, "full_name")),
    body: Object.fromEntries(
      expressions.map(([name, value]) => [name, own(value, "constant_value") ?? value]),
    ),
  };
}

/** What is referred to, as Terraform lists it. A constant may call a function: Terraform prints its text. */
function namedBy(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key === "references") return textsIn(inner);
    return key === "constant_value" ? textsIn(inner).flatMap(referencesIn) : namedBy(inner);
  });
}

const entriesAt = (value: unknown, key: string): [string, unknown][] => Object.entries(own(value, key) ?? {});

function provisionerOf({ type, expressions }: Fields): Provisioner {
  const { command, environment, ...others } = isMap(expressions) ? expressions : {};
  const given = own(environment, "constant_value");
  const constant = own(command, "constant_value");
  const isLocalExec = type === "local-exec";
  return {
    command: typeof constant === "string" ? constant : "a command that is not known before it runs",
    environment: isMap(given) ? given : environment === undefined ? {} : { unknown: environment },
    others: [...(isLocalExec ? [] : [String(type)]), ...Object.keys(others)].sort(),
  };
}
