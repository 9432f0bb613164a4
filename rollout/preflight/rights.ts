import type { Role } from "../../cluster/groups.js";
import type { Finding } from "./finding.js";
import {
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
  "read-job":
    "in every namespace: without it lists of allocations are empty, which looks like a drain that is done",
  "operator:read": "to see the health of the servers",
  management: "to read the raft configuration, hand over leadership and remove peers",
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
  client: ["node:read", "node:write", "read-job"],
  "nomad-server": ["node:read", "operator:read", "management"],
  "consul-server": [],
};

const CONSUL_OF: Readonly<Record<Role, readonly ConsulRight[]>> = {
  client: ["node:read", "agent:write"],
  "nomad-server": ["node:read", "agent:write"],
  "consul-server": ["node:read", "operator:read", "operator:write", "agent:write", "snapshot"],
};

/**
 * The rights that tokens need to make a group leave, and lack; nothing for rights that could not be asked.
 * @param more rights in Nomad that are needed besides
 */
export function missingRights(
  role: Role,
  { nomad, consul }: Observation,
  more: readonly NomadRight[] = [],
): Finding[] {
  return [
    ...lacking("NOMAD_TOKEN", [...new Set([...more, ...NOMAD_OF[role]])], nomad.rights, NOMAD),
    ...lacking("CONSUL_HTTP_TOKEN", CONSUL_OF[role], consul.rights, CONSUL),
  ];
}

const lacking = <Right extends string>(
  token: string,
  needed: readonly Right[],
  rights: Observed<readonly Right[]>,
  reasons: Readonly<Record<Right, string>>,
): Finding[] =>
  (isUnknown(rights) ? [] : needed.filter((right) => !rights.includes(right))).map((right) => ({
    subject: token,
    message: `lacks the right ${right} (${reasons[right]})`,
    remedy: "use a token whose policy allows it",
  }));
