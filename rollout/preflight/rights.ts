import type { Role } from "../../cluster/groups.js";
import { refused, type Finding } from "./finding.js";
import {
  CONSUL_RIGHTS,
  isUnknown,
  type ConsulRight,
  type NomadRight,
  type Observation,
  type Observed,
} from "../observation/observation.js";

/** Why each right is needed: what would go wrong silently without it. */
const NOMAD: Readonly<Record<NomadRight, string>> = {
  "node:read": "to see the nodes and the members",
  "node:write": "to mark nodes ineligible and to drain them",
  "list-jobs": "in every namespace: to see whether work that has left runs elsewhere",
  "read-job":
    "in every namespace: without it lists of allocations are empty, which looks like a drain that is done",
  "operator:read": "to see the health of the servers",
  "agent:read": "to see who a machine's own agent is",
  management: "to read the raft configuration, take a snapshot, hand over leadership and remove peers",
};

const CONSUL: Readonly<Record<ConsulRight, string>> = {
  "node:read": "to see members and catalog, which are empty without it",
  "service:read": "to see the health of services, which is empty without it",
  "operator:read": "to see the health of the servers and the raft configuration",
  "operator:write": "to remove peers of servers that are dead",
  "agent:write": "to make an agent leave",
  snapshot: "acl:write, to take a snapshot",
};

const NOMAD_OF: Readonly<Record<Role, readonly NomadRight[]>> = {
  client: ["node:read", "node:write", "list-jobs", "read-job", "agent:read"],
  "nomad-server": ["node:read", "operator:read", "agent:read", "management"],
  "consul-server": [],
};

const CONSUL_OF: Readonly<Record<Role, readonly ConsulRight[]>> = {
  client: ["node:read", "service:read", "agent:write"],
  "nomad-server": ["node:read", "service:read", "agent:write"],
  "consul-server": CONSUL_RIGHTS,
};

/** A gate needs none of these. */
const TO_LEAVE: ReadonlySet<NomadRight | ConsulRight> = new Set([
  "node:write",
  "list-jobs",
  "read-job",
  "operator:write",
  "agent:write",
  "snapshot",
]);

/**
 * The rights that tokens need to roll a group, and lack; nothing for rights that could not be asked, unless the token was
 * refused.
 * @param phase `before` its roll the nodes of other groups are looked at, too
 */
export function missingRights(
  role: Role,
  { nomad, consul }: Observation,
  phase: "before" | "leave" | "ready",
): Finding[] {
  const isNeeded = (right: NomadRight | ConsulRight): boolean => phase !== "ready" || !TO_LEAVE.has(right);
  const inNomad = new Set([...(phase === "before" ? (["node:read"] as const) : []), ...NOMAD_OF[role]]);
  return [
    ...lacking("NOMAD_TOKEN", [...inNomad].filter(isNeeded), nomad.rights, NOMAD),
    ...lacking("CONSUL_HTTP_TOKEN", CONSUL_OF[role].filter(isNeeded), consul.rights, CONSUL),
  ];
}

function lacking<Right extends string>(
  subject: string,
  needed: readonly Right[],
  rights: Observed<readonly Right[]>,
  reasons: Readonly<Record<Right, string>>,
): Finding[] {
  if (isUnknown(rights))
    return needed.length > 0 && rights.refused === true ? [refused(subject, rights)] : [];
  return needed
    .filter((right) => !rights.includes(right))
    .map((right) => ({
      subject,
      message: `lacks the right ${right} (${reasons[right]})`,
      remedy: "use a token whose policy allows it",
    }));
}
