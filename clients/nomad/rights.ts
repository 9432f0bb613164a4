import type { Policy, TokenSelf } from "./acl-schemas.js";

/** What a token may do, as far as this program needs it. "unknown": the servers did not say; only trying tells. */
export interface Rights {
  /** What only a management token may: raft configuration and peers, handing over the leadership, system gc. */
  readonly management: boolean;
  /** Whether it sees the jobs and allocations of all namespaces. Where it does not, a node's list of allocations is 200 and empty. */
  readonly readsJobs: boolean | "unknown";
  readonly node: Level | "unknown";
  readonly operator: Level | "unknown";
}

type Level = "none" | "read" | "write";

/** Whoever asks may do all: ACLs are off, or the token is a management token. */
const ALL: Rights = { management: true, readsJobs: true, node: "write", operator: "write" };

/**
 * What a token may do, from the token and the policies that it has, its roles' among them.
 * @param policies undefined where they could not be read
 */
export function rightsOf(token: TokenSelf, policies: readonly Policy[] | undefined): Rights {
  if (token.AccessorID === "acls-disabled" || token.Type === "management") return ALL;
  const rules = (policies ?? []).flatMap(({ RulesJSON }) => RulesJSON ?? []);
  if (policies === undefined || rules.length < policies.length) {
    return { management: false, readsJobs: "unknown", node: "unknown", operator: "unknown" };
  }
  return {
    management: false,
    readsJobs: readsAllJobs(rules.flatMap(({ Namespaces }) => Namespaces)),
    node: highest(rules.map(({ Node }) => Node)),
    operator: highest(rules.map(({ Operator }) => Operator)),
  };
}

type NamespaceRule = NonNullable<Policy["RulesJSON"]>["Namespaces"][number];

/** A rule for a namespace of its own name goes before the one for all, so one that takes the right away counts. */
function readsAllJobs(rules: readonly NamespaceRule[]): boolean {
  const names = new Set(rules.map(({ Name }) => Name));
  return (
    names.has("*") &&
    [...names].every((name) => rules.some((rule) => rule.Name === name && grants(rule))) &&
    !rules.some(denies)
  );
}

const grants = ({ Policy: policy, Capabilities }: NamespaceRule): boolean =>
  policy === "read" || policy === "write" || Capabilities.includes("read-job");

const denies = ({ Policy: policy, Capabilities }: NamespaceRule): boolean =>
  policy === "deny" || Capabilities.includes("deny");

function highest(levels: readonly string[]): Level {
  if (levels.includes("deny")) return "none";
  if (levels.includes("write")) return "write";
  return levels.includes("read") ? "read" : "none";
}
