import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  type Gate,
  isGate,
  NUMBERS_VARIABLE,
  OWN_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../../cluster/hooks/variables.js";
import { disagreementsIn } from "./agreement.js";
import { duplicateKey } from "./duplicate-key.js";
import { own } from "../../cluster/raw.js";
import { asList, asObject, asText, fail, type Fields, NotAPlan } from "./fields.js";
import type { Plan, PlannedResource } from "./plan.js";
import { foreignTo } from "./format.js";
import { readResource } from "./read-resource.js";
import { readWiring } from "./read-wiring.js";

const OWN_VARIABLES = [VIEW_VARIABLE, BASE_VARIABLE, OWN_VARIABLE, WAITING_VARIABLE, NUMBERS_VARIABLE];

/** The format's major version that this program knows. */
const MAJOR = "1";

export { NotAPlan };

/**
 * Reads what `terraform show -json PLANFILE` printed.
 * @throws NotAPlan when it is damaged or something else: truncated, a key twice, a key missing, a list for an object
 */
export function readPlan(bytes: Uint8Array): Plan {
  try {
    return read(bytes);
  } catch (error) {
    // No plan of Terraform's nests deep enough to end the stack.
    if ((error as Error).name === "RangeError") fail("it is nested too deep");
    throw error;
  }
}

function read(bytes: Uint8Array): Plan {
  const text = decode(bytes);
  const json = asObject(parse(text), "the document");
  const twice = duplicateKey(text, json);
  if (twice !== undefined) fail(`the key ${JSON.stringify(twice)} stands twice in one object`);
  const formatVersion = asText(json["format_version"], "format_version");
  if (json["values"] !== undefined) fail("it shows a state");
  const [major = ""] = formatVersion.split(".");
  const variables = rootVariables(json);
  const known = major === MAJOR;
  const { [VIEW_VARIABLE]: view, [NUMBERS_VARIABLE]: numbers } = variables;
  const resources = known ? resourcesOf(json) : [];
  const { unknown, unjudged } = foreignTo(json);
  const drift = known ? driftOf(json) : [];
  const listed = new Set(resources.map(({ address }) => address));
  return {
    formatVersion,
    // Of the two only OpenTofu does not say whether a plan is complete.
    tool: json["complete"] === undefined ? "OpenTofu" : "Terraform",
    terraformVersion: asText(json["terraform_version"], "terraform_version"),
    ...(typeof view === "string" ? { view } : {}),
    base: baseOf(variables[BASE_VARIABLE]),
    own: ownOf(variables[OWN_VARIABLE]),
    gate: gateOf(json),
    gaps: known
      ? gapsOf(json, resources, unjudged)
      : [`its format ${formatVersion} is not known (${MAJOR}.x is)`],
    unknown: known ? unknown : [],
    laterHosts: laterHostsOf(variables[WAITING_VARIABLE]),
    ...(numbers === undefined ? {} : { numbers: numbersOf(numbers) }),
    resources,
    wiring: known ? readWiring(json, resources) : [],
    drift: drift.map(({ address, action }) => ({ address, action })),
    gone: drift.flatMap(({ address, action, isManaged }) =>
      action === "delete" && isManaged && !listed.has(address) ? [address] : [],
    ),
  };
}

function decode(bytes: Uint8Array): string {
  try {
    // PowerShell writes what is redirected into a file in UTF-16.
    const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
    return new TextDecoder(isWide ? "utf-16le" : "utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_STRING_TOO_LONG") {
      fail(
        `it has ${String(bytes.length)} bytes, more than one text may have here; plan one view of a smaller cluster`,
      );
    }
    return fail("it is not text in UTF-8");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    if (/^(\[command\]|::debug::)/m.test(text))
      fail("setup-terraform's wrapper has added lines to it: set terraform_wrapper: false in the workflow");
    return fail(text.trim() === "" ? "it is empty" : "it is not JSON, or is cut off");
  }
}

/**
 * The variables as the configuration declares them and as the plan was given them. One that was given on the command
 * line another value than its stack has is not believed.
 */
function rootVariables(json: Fields): Readonly<Record<string, unknown>> {
  const given = asObject(json["variables"] ?? {}, "variables");
  const module = asObject(own(own(json, "configuration"), "root_module") ?? {}, "configuration.root_module");
  const declared = asObject(module["variables"] ?? {}, "configuration.root_module.variables");
  const entries = OWN_VARIABLES.flatMap((name) => {
    const value = own(given[name], "value");
    if (value === undefined) return [];
    if (JSON.stringify(value) !== JSON.stringify(own(declared[name], "default"))) {
      fail(`the variable ${name} was given by hand and differs from the stack's own`);
    }
    return [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** It may be given by hand, unlike the others; the stack itself has it open. */
function gateOf(json: Fields): Gate {
  const value = own(own(own(json, "variables"), GATE_VARIABLE), "value") ?? "open";
  return isGate(value) ? value : fail(`the variable ${GATE_VARIABLE} is neither open nor closed`);
}

function baseOf(value: unknown): ReadonlyMap<string, number> {
  if (value === undefined) return new Map();
  return new Map(
    Object.entries(asObject(value, BASE_VARIABLE)).map(([group, revision]) => {
      if (typeof revision !== "number") fail(`${BASE_VARIABLE} of ${group} is no number`);
      return [group, revision] as const;
    }),
  );
}

function ownOf(value: unknown): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  const entries = Object.entries(asObject(value, OWN_VARIABLE));
  return new Map(entries.map(([address, path]) => [address, asText(path, `${OWN_VARIABLE} of ${address}`)]));
}

function laterHostsOf(value: unknown): readonly string[] {
  return asList(value ?? [], WAITING_VARIABLE).map((each) => asText(each, WAITING_VARIABLE));
}

const numbersOf = (value: unknown): readonly number[] =>
  asList(value, NUMBERS_VARIABLE).map((each) =>
    typeof each === "number" ? each : fail(`${NUMBERS_VARIABLE} holds what is no number`),
  );

function gapsOf(json: Fields, resources: readonly PlannedResource[], unjudged: readonly string[]): string[] {
  const hasFailed = json["errored"] === true;
  const said = [
    ...(hasFailed ? ["it ended with an error"] : []),
    ...(typeof json["errored"] === "boolean" ? [] : ["it does not say whether it ended with an error"]),
    // One that ended with an error is always partial.
    ...((json["complete"] ?? true) === true || hasFailed ? [] : ["it is partial, as with -target"]),
    ...unjudged.map((what) => `it has ${what}`),
  ];
  const disagreements = disagreementsIn(json, resources);
  return said.length > 0 ? said : disagreements;
}

function resourcesOf(json: Fields): PlannedResource[] {
  const entries = asList(json["resource_changes"] ?? [], "resource_changes");
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const resource = readResource(entry, `resource_changes[${String(index)}]`);
    if (!resource) return [];
    const object = `${resource.address} ${resource.deposed ?? ""}`;
    if (seen.has(object)) fail(`${resource.address} stands twice in resource_changes`);
    seen.add(object);
    return [resource];
  });
}

function driftOf(json: Fields): { address: string; action: string; isManaged: boolean }[] {
  return asList(json["resource_drift"] ?? [], "resource_drift").map((entry, index) => {
    const where = `resource_drift[${String(index)}]`;
    const fields = asObject(entry, where);
    const actions = asList(
      asObject(fields["change"], `${where}.change`)["actions"],
      `${where}.change.actions`,
    );
    return {
      address: asText(fields["address"], `${where}.address`),
      action: actions.map(String).join(", "),
      isManaged: fields["mode"] === "managed",
    };
  });
}
