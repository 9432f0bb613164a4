import { GATE_VARIABLE, type Gate, isGate } from "../../spec/rollout-gate.js";
import { WAITING_VARIABLE } from "../../spec/waiting.js";
import { UserError } from "../../spec/user-error.js";
import { type CutPlan, readAside, readMembers } from "./cut-plan.js";
import { asList, asObject, asText, type Fields, optional } from "./fields.js";
import type { Plan, PlannedResource } from "./plan.js";
import { plannedAddresses } from "./planned-addresses.js";
import { decode, readObject } from "./read-json.js";
import { readResource } from "./read-resource.js";
import { readWiring } from "./read-wiring.js";

/** The format's major version that this program knows. */
const MAJOR = "1";

/** What is no plan, or is damaged. Never taken for an accepted one. */
export class NotAPlan extends UserError {
  override readonly name = "NotAPlan";

  constructor(why: string) {
    super(`not a plan: ${why}; make it with: terraform show -json PLANFILE`, 2);
  }
}

/** Things in a plan that this program does not understand, so that it cannot judge the plan. */
const UNJUDGED = ["deferred_changes", "action_invocations", "deferred_action_invocations"] as const;

/**
 * Reads what `terraform show -json PLANFILE` printed.
 * @throws NotAPlan when it is damaged or something else: truncated, a key twice, a key missing, a list for an object
 */
export function readPlan(bytes: Uint8Array): Plan {
  return notTooDeep(() => {
    const json = readObject(decode(bytes, fail), fail);
    return planOf(json)(plannedIn(json));
  });
}

/**
 * Reads a plan but for what was set aside of it.
 * @returns what makes the plan of it, given what {@link readPlanned} has found
 * @throws NotAPlan when that is damaged, or cut in a wrong place: only {@link readPlan} can say what is wrong
 */
export function readCutPlan(cut: CutPlan): (planned: readonly string[]) => Plan {
  return notTooDeep(() => planOf(readMembers(cut, fail)));
}

/**
 * Reads what was set aside of a plan.
 * @returns the addresses of the resources that will be there afterwards
 * @throws NotAPlan when it is damaged, or cut in a wrong place
 */
export function readPlanned(aside: CutPlan["aside"]): readonly string[] {
  return notTooDeep(() => plannedAddresses(readAside(aside, fail), fail));
}

function notTooDeep<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    // No plan of Terraform's nests deep enough to end the stack.
    if ((error as Error).name === "RangeError") fail("it is nested too deep");
    throw error;
  }
}

/** The addresses that a document plans for; none where its format is not known. */
const plannedIn = (json: Fields): readonly string[] =>
  isKnown(formatOf(json)) ? plannedAddresses(json, fail) : [];

const formatOf = (json: Fields): string => asText(json["format_version"], "format_version", fail);

const isKnown = (formatVersion: string): boolean => formatVersion.split(".")[0] === MAJOR;

function planOf(json: Fields): (planned: readonly string[]) => Plan {
  const formatVersion = formatOf(json);
  if (json["values"] !== undefined) fail("it shows a state");
  const variables = rootVariables(json);
  const known = isKnown(formatVersion);
  const view = variables["rollout_view"];
  const resources = known ? resourcesOf(json) : [];
  const plan = {
    formatVersion,
    terraformVersion: asText(json["terraform_version"], "terraform_version", fail),
    ...(typeof view === "string" ? { view } : {}),
    base: baseOf(variables["rollout_base"]),
    own: ownOf(variables["rollout_own"]),
    gate: gateOf(json),
    waiting: waitingOf(variables[WAITING_VARIABLE]),
    saysComplete: json["complete"] === true,
    resources,
    wiring: known ? readWiring(json, resources, fail) : [],
    drift: known ? driftOf(json) : [],
  };
  const gaps = known ? gapsOf(json) : [`its format ${formatVersion} is not known (${MAJOR}.x is)`];
  return (planned) => ({ ...plan, gaps: gaps.length > 0 ? gaps : leftOut(resources, planned) });
}

function fail(why: string): never {
  throw new NotAPlan(why);
}

/**
 * The variables as the configuration declares them and as the plan was given them. One that was given on the command
 * line another value than its stack has is not believed.
 */
function rootVariables(json: Fields): Readonly<Record<string, unknown>> {
  const given = asObject(json["variables"] ?? {}, "variables", fail);
  const module = asObject(
    optional(optional(json, "configuration"), "root_module") ?? {},
    "configuration.root_module",
    fail,
  );
  const declared = asObject(module["variables"] ?? {}, "configuration.root_module.variables", fail);
  const entries = ["rollout_view", "rollout_base", "rollout_own", WAITING_VARIABLE].flatMap((name) => {
    const value = optional(given[name], "value");
    if (value === undefined) return [];
    if (JSON.stringify(value) !== JSON.stringify(optional(declared[name], "default"))) {
      fail(`the variable ${name} was given by hand and differs from the stack's own`);
    }
    return [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** It may be given by hand, unlike the others; the stack itself has it open. */
function gateOf(json: Fields): Gate {
  const value = optional(optional(optional(json, "variables"), GATE_VARIABLE), "value") ?? "open";
  return isGate(value) ? value : fail(`the variable ${GATE_VARIABLE} is neither open nor closed`);
}

function baseOf(value: unknown): ReadonlyMap<string, number> {
  if (value === undefined) return new Map();
  return new Map(
    Object.entries(asObject(value, "rollout_base", fail)).map(([group, revision]) => {
      if (typeof revision !== "number") fail(`rollout_base of ${group} is no number`);
      return [group, revision] as const;
    }),
  );
}

function ownOf(value: unknown): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  const entries = Object.entries(asObject(value, "rollout_own", fail));
  return new Map(
    entries.map(([address, path]) => [address, asText(path, `rollout_own of ${address}`, fail)]),
  );
}

function waitingOf(value: unknown): readonly string[] {
  return asList(value ?? [], WAITING_VARIABLE, fail).map((each) => asText(each, WAITING_VARIABLE, fail));
}

function gapsOf(json: Fields): string[] {
  const hasFailed = json["errored"] === true;
  return [
    ...(hasFailed ? ["it ended with an error"] : []),
    ...(typeof json["errored"] === "boolean" ? [] : ["it does not say whether it ended with an error"]),
    // One that ended with an error is always partial.
    ...(json["complete"] === false && !hasFailed ? ["it is partial, as with -target"] : []),
    ...UNJUDGED.flatMap((key) =>
      asList(json[key] ?? [], key, fail).length > 0 ? [`it has ${key.replaceAll("_", " ")}`] : [],
    ),
  ];
}

/** Resources that will be there and of which `resource_changes` does not say what happens to them. */
function leftOut(resources: readonly PlannedResource[], planned: readonly string[]): string[] {
  const listed = new Set(resources.map(({ address }) => address));
  const missing = planned.filter((address) => !listed.has(address));
  return missing.length > 0 ? [`it does not say what happens to ${missing.sort().join(", ")}`] : [];
}

function resourcesOf(json: Fields): PlannedResource[] {
  const entries = asList(json["resource_changes"] ?? [], "resource_changes", fail);
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const resource = readResource(entry, `resource_changes[${String(index)}]`, fail);
    if (!resource) return [];
    const object = `${resource.address} ${resource.deposed ?? ""}`;
    if (seen.has(object)) fail(`${resource.address} stands twice in resource_changes`);
    seen.add(object);
    return [resource];
  });
}

function driftOf(json: Fields): { address: string; action: string }[] {
  return asList(json["resource_drift"] ?? [], "resource_drift", fail).map((entry, index) => {
    const where = `resource_drift[${String(index)}]`;
    const fields = asObject(entry, where, fail);
    const actions = asList(
      asObject(fields["change"], `${where}.change`, fail)["actions"],
      `${where}.change.actions`,
      fail,
    );
    return {
      address: asText(fields["address"], `${where}.address`, fail),
      action: actions.map(String).join(", "),
    };
  });
}
