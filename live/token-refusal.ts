import type { Authorization, ConsulClient } from "../clients/consul/consul-client.js";
import { isOfUnknownToken, NoLeaderError, PermissionError } from "../clients/http/errors.js";
import { UserError } from "../cluster/user-error.js";

/** What is asked of a machine's own agent, and what for. */
const needed = (host: string): readonly (Authorization & { readonly reason: string })[] => [
  { resource: "agent", access: "write", segment: host, reason: `to reload and to join at ${host}` },
  { resource: "node", access: "read", reason: "to see the members" },
];

/**
 * Why waiting will not help a token that a machine's own agent has refused: Consul's servers do not know it, or it lacks a
 * right. Undefined where the servers allow it or cannot say so: an agent that has not joined refuses every token.
 * @param refusal what the machine's own agent answered
 * @param consul the servers, or agents that have joined them
 */
export async function tokenRefusal(
  refusal: unknown,
  consul: ConsulClient,
  host: string,
): Promise<UserError | undefined> {
  if (!(refusal instanceof PermissionError) && !(refusal instanceof NoLeaderError)) return undefined;
  try {
    const hasToken = consul.settings.access.token !== undefined;
    if (hasToken) await consul.tokenSelf();
    const wanted = needed(host);
    const allowed = await consul.authorizations(wanted);
    if (typeof allowed === "string") return undefined;
    const missing = wanted.filter((_, index) => allowed[index] !== true);
    if (missing.length === 0) return undefined;
    const rights = missing.map(({ resource, access, reason }) => `${resource}:${access} (${reason})`);
    return hasToken
      ? new UserError(
          `the token in CONSUL_HTTP_TOKEN lacks the right ${rights.join(" and ")}; give it the policy in docs/acl.md`,
        )
      : new UserError(
          `CONSUL_HTTP_TOKEN is not set, and without a token nobody has the right ${rights.join(" and ")}; set it to one that has the policy in docs/acl.md`,
        );
  } catch (error) {
    if (error instanceof PermissionError && isOfUnknownToken(error.text)) return error;
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
