import type { Role } from "../../cluster/groups.js";

/** Which machines of a group are to leave, and how. */
export interface LeaveOrder {
  readonly group: string;
  readonly role: Role;
  /** How many servers of its role there are to be in all, once it has what it is to have. */
  readonly servers: number;
  /** The template that the group has from now on. */
  readonly hash: string;
  /** The names that the group has from now on. A host of such a name stays if it was made from {@link hash}; all others leave, now or later. */
  readonly stay: readonly string[];
  /** Those whose machines leave with a later batch: they get no new work, and keep what they have. Default: none. */
  readonly laterHosts?: readonly string[];
  /** The hosts that the group is known to have had; empty where nobody knows. None of them may be overlooked. */
  readonly hosts: readonly string[];
  readonly workload: "moves" | "stays";
  /** Whether its pool leaves for good, so that work which is bound to it has nowhere to go. */
  readonly retires: boolean;
  readonly drain: { readonly deadlineSeconds: number; readonly onDeadline: "fail" | "accept" };
}

/** Whether a machine of this name and these metadata stays. */
export function stays(
  { stay, hash }: LeaveOrder,
  { name, meta }: { readonly name: string; readonly meta: Readonly<Record<string, string>> },
): boolean {
  return stay.includes(name) && meta["rollout_template_hash"] === hash;
}

/** The other way out for a group of clients that does not get rid of its work. */
export const wayBack = ({ group, role, retires }: LeaveOrder): string =>
  retires || role !== "client" ? "" : `; or go back: npx rollout undo ${group}`;

/** Whether a machine of this name leaves with a later batch. */
export const isLater = ({ laterHosts = [] }: LeaveOrder, name: string): boolean => laterHosts.includes(name);
