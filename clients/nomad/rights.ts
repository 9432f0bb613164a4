import type { Policy, TokenSelf } from "./acl-schemas.js";

/**
 * What this program asks for. `list-jobs` and `read-job` count in all namespaces: one without them is left out of lists,
 * silently, and a node's list of allocations is 200 and empty. `management`: raft configuration and peers, handing over the
 * leadership, system gc.
 */
const RIGHTS = [
  "node:read",
  "node:write",
  "list-jobs",
  "read-job",
  "operator:read",
  "agent:read",
  "management",
] as const;
export type Right = (typeof RIGHTS)[number];

/**
 * What a token may do, from the token and the policies that it has, its roles' among them.
 * @param token undefined where ACLs are off
 * @param policies undefined where they could not be read
 * @returns undefined where the servers did not say: only trying tells
 */
export function rightsOf(
  token: TokenSelf | undefined,
  policies: readonly Policy[] | undefined,
): readonly Right[] | undefined {
  if (token === undefined || token.AccessorID === "acls-disabled" || token.Type === "management")
    return RIGHTS;
  const rules = (policies ?? []).flatMap(({ RulesJSON }) => RulesJSON ?? []);
  if (policies === undefined || rules.length < policies.length) return undefined;
  const namespaces = rules.flatMap(({ Namespaces }) => Namespaces);
  const may = (key: "Node" | "Operator" | "Agent", ...levels: string[]): boolean =>
    !rules.some((rule) => rule[key] === "deny") && rules.some((rule) => levels.includes(rule[key]));
  const given: Readonly<Record<Right, boolean>> = {
    "node:read": may("Node", "read", "write"),
    "node:write": may("Node", "write"),
    "list-jobs": mayEverywhere("list-jobs", namespaces),
    "read-job": mayEverywhere("read-job", namespaces),
    "operator:read": may("Operator", "read", "write"),
    "agent:read": may("Agent", "read", "write"),
    management: false,
  };
  return RIGHTS.filter((right) => given[right]);
}

type NamespaceRule = NonNullable<Policy["RulesJSON"]>["Namespaces"][number];

/** A rule for a namespace of its own name goes before the one for all, so one that takes the right away counts. */
function mayEverywhere(capability: string, rules: readonly NamespaceRule[]): boolean {
  const grants = ({ Policy: policy, Capabilities }: NamespaceRule): boolean =>
    policy === "read" || policy === "write" || Capabilities.includes(capability);
  const names = new Set(rules.map(({ Name }) => Name));
  return (
    names.has("*") &&
    [...names].every((name) => rules.some((rule) => rule.Name === name && grants(rule))) &&
    !rules.some(({ Policy: policy, Capabilities }) => policy === "deny" || Capabilities.includes("deny"))
  );
}
