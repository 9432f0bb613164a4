import type { MemberKind } from "../../cluster/address.js";

/** What each kind of change of an apply means for a cluster; those that mean nothing for it are left out. */
const MEANING: Readonly<Record<string, string>> = {
  "target delete": "out of the load balancer",
  "leave delete": "work leaves, then the agents",
  "data-attachment delete": "data volume detached",
  "stop-agents delete": "what is left on the machine is stopped",
  "host delete": "machine destroyed",
  "host create": "machine created",
  "data-attachment create": "data volume attached",
  "start-agents create": "agents started",
  "config-consul create": "told of the Consul servers",
  "target create": "into the load balancer",
  "ready create": "ready, and held for the bake time",
  "revision create": "revision recorded",
  "revision update": "revision recorded",
};

/**
 * What a change is for a cluster; undefined for what is nothing to it.
 * @param action in Terraform's words: create, update, delete
 */
export const meaningOf = (kind: MemberKind, action: string): string | undefined =>
  MEANING[`${kind} ${action}`];
