import { parseAddress, type Member } from "../cluster/address.js";
import { meaningOf } from "../rollout/roll/meaning.js";
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

/** How a group was rolled: one phase for each kind of event, in the order in which they began. */
export const phasesOfRoll = (applied: readonly Applied[]): Phase[] =>
  condense(applied, ({ kind }, action) => meaningOf(kind, action));

/** In which order a cluster came: by pool, from its first machine until its groups were ready. */
export const phasesOfCreation = (applied: readonly Applied[]): Phase[] =>
  condense(applied, ({ pool, kind }, action) =>
    action === "create" && (kind === "host" || kind === "ready") ? `${pool}: ${CREATED[kind]}` : undefined,
  );

const CREATED = { host: "machines", ready: "groups ready" };

function condense(
  applied: readonly Applied[],
  phaseOf: (member: Member, action: Applied["action"]) => string | undefined,
): Phase[] {
  const phases = new Map<string, Phase>();
  for (const { address, action, begins, ends } of applied) {
    const member = parseAddress(address);
    const what = member && phaseOf(member, action);
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
