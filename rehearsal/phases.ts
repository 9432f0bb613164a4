import { parseAddress, type Member } from "../cluster/address.js";
import type { Phase } from "./report.js";

/** What an apply did with one resource. */
export interface Applied {
  readonly address: string;
  /** In Terraform's words: create, update, delete. */
  readonly action: string;
  /** Seconds since the apply began. */
  readonly begins: number;
  readonly ends: number;
}

/** What each kind of event means for a cluster; those that mean nothing for it are left out. */
const MEANING: Readonly<Record<string, string>> = {
  "target delete": "out of the load balancer",
  "lb-drained delete": "drained at the load balancer",
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

/** What an event is for a cluster; undefined for what is nothing to it. */
export function meaningOf(address: string, action: Applied["action"]): string | undefined {
  const kind = parseAddress(address)?.kind;
  return kind && MEANING[`${kind} ${action}`];
}

/** How a group was rolled: one phase for each kind of event, in the order in which they began. */
export const phasesOfRoll = (applied: readonly Applied[]): Phase[] =>
  condense(applied, ({ kind }, action) => MEANING[`${kind} ${action}`]);

/** In which order a cluster came: by pool, from its first machine until its groups were ready. */
export const phasesOfCreation = (applied: readonly Applied[]): Phase[] =>
  condense(applied, ({ pool, kind }, action) =>
    action === "create" && (kind === "host" || kind === "ready") ? `${pool}: ${CREATED[kind]}` : undefined,
  );

const CREATED = { host: "machines", ready: "groups ready" };

function condense(
  applied: readonly Applied[],
  meaningOf: (member: Member, action: Applied["action"]) => string | undefined,
): Phase[] {
  const phases = new Map<string, Phase>();
  for (const { address, action, begins, ends } of applied) {
    const member = parseAddress(address);
    const what = member && meaningOf(member, action);
    if (what === undefined) continue;
    const known = phases.get(what);
    phases.set(what, {
      what,
      count: (known?.count ?? 0) + 1,
      begins: Math.min(begins, known?.begins ?? begins),
      ends: Math.max(ends, known?.ends ?? ends),
    });
  }
  return [...phases.values()].sort((one, other) => one.begins - other.begins);
}
