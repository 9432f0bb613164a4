import type { MemberKind } from "../../cluster/address.js";
import type { Step } from "../../cluster/run/run-log.js";

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
 * What a change is for a cluster; undefined for what is nothing to it. With a closed gate, which is before its step, a revision
 * says only which hooks have ended.
 * @param action in Terraform's words: create, update, delete
 * @param step the driver's, in which Terraform does it
 */
export const meaningOf = (kind: MemberKind, action: string, step: Step): string | undefined =>
  kind === "revision" && action === "update" && step !== "record" ? undefined : MEANING[`${kind} ${action}`];
