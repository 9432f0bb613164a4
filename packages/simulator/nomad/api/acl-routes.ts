import { json, text, type Answer } from "../../answer.js";
import { isBefore } from "../../version.js";
import { denied, nomadSecret, type NomadRules } from "../access.js";
import type { NomadCall, NomadRoute } from "./context.js";

/** A token's rules are one policy of its own, under this name. */
const POLICY = "rules";

/** What a token is, and what its policy says: it may always see both. */
export const aclRoutes: readonly NomadRoute[] = [
  { methods: ["GET"], path: "/v1/acl/token/self", handle: self },
  {
    methods: ["GET"],
    path: "/v1/acl/policy/:name",
    handle: (call) => {
      const rules = rulesOf(call);
      if (!rules || call.part("name") !== POLICY) return denied();
      return json({ Name: POLICY, Description: "", Rules: "", RulesJSON: policyView(rules) });
    },
  },
];

function self(call: NomadCall): Answer {
  const { nomad } = call.agent;
  const { tokens } = nomad.options;
  if (!tokens && isBefore(nomad.version, "1.10.1")) return text(400, "ACL support disabled");
  if (!tokens) return json({ ...TOKEN, AccessorID: "acls-disabled", Name: "ACLs disabled token" });
  const secret = nomadSecret(call.request);
  if (secret === "") return json({ ...TOKEN, AccessorID: "anonymous", Name: "Anonymous Token" });
  const rules = tokens.get(secret);
  if (!rules) return text(403, "Permission denied");
  const isManagement = rules.management ?? false;
  return json({
    ...TOKEN,
    Type: isManagement ? "management" : "client",
    Policies: isManagement ? null : [POLICY],
  });
}

const TOKEN = { AccessorID: "token", Name: "", Type: "client", Policies: null, Roles: null, Global: false };

const rulesOf = (call: NomadCall): NomadRules | undefined =>
  call.agent.nomad.options.tokens?.get(nomadSecret(call.request));

const policyView = ({ node, operator, agent, namespaces = {} }: NomadRules) => ({
  Namespaces: Object.entries(namespaces).map(([Name, Capabilities]) => ({ Name, Policy: "", Capabilities })),
  Node: level(node),
  Operator: level(operator),
  Agent: level(agent),
});

const level = (policy: string | undefined) => (policy === undefined ? null : { Policy: policy });
