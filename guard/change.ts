import type { PlannedResource } from "./plan/plan.js";
import type { Member } from "../cluster/address.js";
import type { Deployed } from "../cluster/deployed.js";
import type { Wiring } from "./wiring.js";

/**
 * `forget`: Terraform lets go of it, and it stays. `move`: its address changes, or it is taken over from outside.
 * `unknown`: a word of Terraform's that this program does not know.
 */
export const ACTIONS = ["create", "update", "replace", "delete", "forget", "move", "unknown"] as const;
export type Action = (typeof ACTIONS)[number];

/** What would happen to one resource, whether foreseen at synth or planned by Terraform. */
export interface Change {
  readonly address: string;
  /** The group that it belongs to: by its construct path where it is declared, else by its address. Absent for shared parts. */
  readonly group?: string;
  /** Which member of its group it is; absent for shared parts and for resources of the user's own. */
  readonly member?: Member;
  readonly action: Action;
  /** What differs, for people: `ami-0aaa -> ami-0bbb`. */
  readonly detail?: string;
  /** Where a move or an import brings it from, whatever else happens to it: `moved from aws_instance.broker-1-0`. */
  readonly displaced?: string;
  /** The group of the address that it is moved from. */
  readonly from?: string;
  /** What Terraform's plan says of it; absent where it was foreseen at synth, and for what was gone already. */
  readonly planned?: PlannedResource;
}

/** Whether a resource is replaced because it is tainted: by the plan's word, or by the state's. */
export function isTainted({ address, action, group, planned }: Change, deployed: Deployed): boolean {
  if (planned?.reason === "replace_because_tainted") return true;
  return action === "replace" && (deployed.groups.get(group ?? "")?.tainted.includes(address) ?? false);
}

/**
 * The changes without those in which nothing happens to anything: what earlier versions had wait for the load balancer goes in
 * whatever view comes first, and runs no hook. What is declared, be it for nothing, may have one that runs when it goes.
 */
export function withoutRelics(changes: readonly Change[], wiring: readonly Wiring[]): Change[] {
  const declared = new Set(wiring.map(({ address }) => address));
  return changes.filter((change) => !isRelicsEnd(change) || declared.has(change.address));
}

const isRelicsEnd = ({ member, action, displaced, planned }: Change): boolean =>
  member?.kind === "lb-drained" &&
  action === "delete" &&
  displaced === undefined &&
  (planned === undefined || planned.reason === "delete_because_no_resource_config");

/** `aws_instance.broker-1-0 (ami-0aaa -> ami-0bbb)` */
export function describeChange({ address, action, detail, displaced }: Change): string {
  const happens = detail ?? (action === "move" && displaced !== undefined ? [] : PAST[action]);
  return `${address} (${[happens, displaced ?? []].flat().join(", ")})`;
}

/** The groups that changes touch, sorted: those that something is moved from, too. */
export const groupsTouched = (changes: readonly Change[]): string[] =>
  [...new Set(changes.flatMap(({ group, from }) => [group ?? [], from ?? []].flat()))].sort();

const PAST: Readonly<Record<Action, string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  forget: "forgotten",
  move: "moved or imported",
  unknown: "an action that this version does not know",
};
