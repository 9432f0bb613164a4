// What a token needs for each call, found by recording which single rule allows it (Consul 1.8.7).

export const AGENT_READ = 'agent_prefix "" { policy = "read" }';
export const AGENT_WRITE = 'agent_prefix "" { policy = "write" }';
export const NODE_READ = 'node_prefix "" { policy = "read" }';
export const SERVICE_READ = 'service_prefix "" { policy = "read" }';
export const OPERATOR_READ = 'operator = "read"';
export const OPERATOR_WRITE = 'operator = "write"';
/** A snapshot holds all tokens. */
export const MANAGEMENT = 'acl = "write" (a management token)';

/** What reading or writing under a key needs. */
export function keyRule(key: string, policy: "read" | "write"): string {
  return `key ${JSON.stringify(key)} { policy = "${policy}" }`;
}
