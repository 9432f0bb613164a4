import type { Authorization, ConsulClient } from "../../clients/consul/consul-client.js";
import { CONSUL_RIGHTS, type ConsulRight } from "../../rollout/observation/observation.js";
import { UserError } from "../../cluster/user-error.js";

/** The policy that no token can be denied anything with; its id is the same everywhere. */
const MANAGEMENT = "00000000-0000-0000-0000-000000000001";

/**
 * What the token may do, asked of Consul itself: nothing is tried. Lists have to be whole, so reading counts only by a rule
 * for all names; leaving counts only where it is allowed for every host of the group.
 * @throws UserError, a ClientError among them, where that cannot be told
 */
export async function consulRights(
  consul: ConsulClient,
  hosts: readonly string[],
): Promise<readonly ConsulRight[]> {
  const needed = authorizationsFor(hosts);
  const wanted = CONSUL_RIGHTS.flatMap((right) =>
    needed[right].map((authorization) => ({ right, authorization })),
  );
  const answers = await consul.authorizations(wanted.map(({ authorization }) => authorization));
  if (answers === "no ACLs") return CONSUL_RIGHTS;
  if (answers === "not supported") return rightsInOldVersions(consul);
  const refused = new Set(wanted.filter((_, index) => answers[index] !== true).map(({ right }) => right));
  return CONSUL_RIGHTS.filter((right) => !refused.has(right));
}

const authorizationsFor = (
  hosts: readonly string[],
): Readonly<Record<ConsulRight, readonly Authorization[]>> => ({
  "node:read": [{ resource: "node", access: "read" }],
  "service:read": [{ resource: "service", access: "read" }],
  "operator:read": [{ resource: "operator", access: "read" }],
  "operator:write": [{ resource: "operator", access: "write" }],
  "agent:write": hosts.map((host) => ({ resource: "agent", access: "write", segment: host })),
  snapshot: [{ resource: "acl", access: "write" }],
});

/** Before 1.7 only a management token can be told from the others. */
async function rightsInOldVersions(consul: ConsulClient): Promise<readonly ConsulRight[]> {
  const token = await consul.tokenSelf();
  if (token === undefined || token.Policies.some(({ ID }) => ID === MANAGEMENT)) return CONSUL_RIGHTS;
  throw new UserError(
    "this version of Consul does not say what the token in CONSUL_HTTP_TOKEN may do; use Consul 1.7 or newer, or a management token",
  );
}
