import type { Member } from "../spec/address.js";

/** What would happen to one resource, whether foreseen at synth or planned by Terraform. */
export interface Change {
  readonly address: string;
  /** The group that it belongs to: by its construct path where it is declared, else by its address. Absent for shared parts. */
  readonly group?: string;
  /** Which member of its group it is; absent for shared parts and for resources of the user's own. */
  readonly member?: Member;
  readonly action: "create" | "update" | "replace" | "delete";
  /** What differs, for people: `ami-0aaa -> ami-0bbb`. */
  readonly detail?: string;
}

/** `aws_instance.broker-1-0 (ami-0aaa -> ami-0bbb)` */
export function describeChange({ address, action, detail }: Change): string {
  return `${address} (${detail ?? `${action}d`})`;
}
