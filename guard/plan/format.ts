import { isKnownCombination } from "./contradiction.js";
import { asList, own } from "../../cluster/raw.js";
import { type Fields } from "./fields.js";

/** The newest whose plans were read, in their sources: fields came with minor versions alone. */
export const TRIED = { Terraform: "1.14", OpenTofu: "1.12" } as const;

export type Tool = keyof typeof TRIED;

/** Whether plans of a version are known: of any patch of a minor version that was tried. */
export function isTried(tool: Tool, version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [knownMajor = 0, knownMinor = 0] = TRIED[tool].split(".").map(Number);
  return major === knownMajor && minor <= knownMinor;
}

/**
 * What a field means for the verdict. `judged`: the rules look at it. `harmless`: it says nothing of what happens to a
 * resource that a judged field does not say. `absent`: nobody can tell what would happen, so it must be empty. A field that
 * stands in none of the tables is not known, and rejects the plan.
 */
type Meaning = "judged" | "harmless" | "absent";

/** The fields of a plan, by internal/command/jsonplan and jsonconfig of Terraform 1.9 to 1.14 and OpenTofu 1.9 to 1.12. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  "the plan": {
    format_version: "judged",
    terraform_version: "harmless",
    variables: "judged",
    planned_values: "judged",
    resource_drift: "judged",
    resource_changes: "judged",
    deferred_changes: "absent",
    output_changes: "harmless",
    prior_state: "judged",
    configuration: "judged",
    relevant_attributes: "harmless",
    checks: "harmless",
    timestamp: "harmless",
    applyable: "harmless",
    // OpenTofu writes neither this nor `applyable`.
    complete: "judged",
    errored: "judged",
    // Terraform 1.14.
    action_invocations: "absent",
    deferred_action_invocations: "absent",
  },
  "a resource": {
    address: "judged",
    previous_address: "judged",
    module_address: "judged",
    mode: "judged",
    type: "judged",
    name: "judged",
    index: "judged",
    // Terraform 1.10, of deferred changes.
    index_unknown: "absent",
    provider_name: "harmless",
    deposed: "judged",
    action_reason: "judged",
    change: "judged",
  },
  "a change": {
    actions: "judged",
    before: "judged",
    after: "judged",
    after_unknown: "harmless",
    before_sensitive: "harmless",
    after_sensitive: "harmless",
    replace_paths: "harmless",
    importing: "judged",
    generated_config: "absent",
    // Terraform 1.12 and OpenTofu 1.12; the provider's own word for what `before` and `after` are.
    before_identity: "harmless",
    after_identity: "harmless",
  },
  "the configuration": { provider_config: "judged", root_module: "judged" },
  // `actions` came with Terraform 1.14.
  "the root module": {
    outputs: "harmless",
    resources: "judged",
    module_calls: "judged",
    variables: "judged",
    actions: "judged",
  },
  "a block": {
    address: "judged",
    mode: "judged",
    type: "judged",
    name: "judged",
    provider_config_key: "judged",
    provisioners: "judged",
    expressions: "judged",
    schema_version: "harmless",
    count_expression: "judged",
    for_each_expression: "judged",
    depends_on: "judged",
  },
};

const MODES = new Set(["managed", "data"]);

/** Only the one that a taint gives is judged, since no hook runs then. A new one could be another such. */
const REASONS = new Set([
  ...[
    "replace_because_cannot_update",
    "replace_because_tainted",
    "replace_by_request",
    "replace_by_triggers",
  ],
  ...["no_resource_config", "wrong_repetition", "count_index", "each_key", "no_module", "no_move_target"].map(
    (why) => `delete_because_${why}`,
  ),
  ...["config_unknown", "dependency_pending", "check_nested"].map((why) => `read_because_${why}`),
  // OpenTofu 1.11 and 1.12.
  "delete_because_enabled_false",
  "forgot_because_lifecycle_destroy_in_state",
  "forgot_because_lifecycle_destroy_in_config",
]);

/** What of a plan is not known, and what must not be there: words for people, each once. */
export function foreignTo(json: Fields): Readonly<Record<"unknown" | "unjudged", readonly string[]>> {
  const configuration = own(json, "configuration");
  const root = own(configuration, "root_module");
  const entries = [...listAt(json, "resource_changes"), ...listAt(json, "resource_drift")];
  const blocks = listAt(root, "resources");
  const levels: Readonly<Record<string, readonly unknown[]>> = {
    "the plan": [json],
    "a resource": entries,
    "a change": entries.map((entry) => own(entry, "change")),
    "the configuration": [configuration],
    "the root module": [root],
    "a block": blocks,
  };
  const unknown = new Set<string>();
  const unjudged = new Set<string>();
  for (const [level, objects] of Object.entries(levels)) {
    for (const object of objects) {
      for (const key in Object(object)) {
        const meaning = own(FIELDS[level], key);
        if (meaning === undefined) unknown.add(`the key ${JSON.stringify(key)} of ${level}`);
        if (meaning === "absent" && isThere(own(object, key))) unjudged.add(key.replaceAll("_", " "));
      }
    }
  }
  for (const entry of entries) {
    const actions = listAt(own(entry, "change"), "actions").map(String);
    if (!isKnownCombination(actions)) unknown.add(`the action ${JSON.stringify(actions.join(", "))}`);
    const reason = own(entry, "action_reason");
    if (reason !== undefined && !(typeof reason === "string" && REASONS.has(reason)))
      unknown.add(`the action_reason ${JSON.stringify(reason)}`);
  }
  for (const each of [...entries, ...blocks]) {
    const mode = own(each, "mode");
    if (!MODES.has(String(mode))) unknown.add(`the mode ${JSON.stringify(mode)}`);
  }
  return { unknown: [...unknown], unjudged: [...unjudged] };
}

const listAt = (object: unknown, key: string): readonly unknown[] => asList(own(object, key));

const isThere = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
