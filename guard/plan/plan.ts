import type { Gate } from "../../cluster/hooks/variables.js";
import type { Wiring } from "../wiring.js";

/** What a plan of Terraform or OpenTofu says, as far as the rules look at it. */
export interface Plan {
  readonly formatVersion: string;
  /** Which program made it. */
  readonly tool: "Terraform" | "OpenTofu";
  readonly terraformVersion: string;
  /** `rollout_view` as the stack declares it; absent where the plan is of something else. */
  readonly view?: string;
  /** `rollout_base`: the revision of each group that the view was made from. */
  readonly base: ReadonlyMap<string, number>;
  /** `rollout_own`: the construct path of each resource of the user's own, by address. */
  readonly own: ReadonlyMap<string, string>;
  /** `rollout_gate`: whether the plan proves and records what it rolls, or leaves it in flight. */
  readonly gate: Gate;
  /** `rollout_waiting`: the hosts whose machines wait for a later batch; empty where none does. */
  readonly laterHosts: readonly string[];
  /** `rollout_numbers`: those of the hosts of the view's group; absent where they are 0, 1, 2 and so on. */
  readonly numbers?: readonly number[];
  /** What this program does not know of a plan's format: keys, actions and the like. */
  readonly unknown: readonly string[];
  /** Why the plan does not show all that would happen; empty when it does. */
  readonly gaps: readonly string[];
  /** Every managed resource, the unchanged ones included. */
  readonly resources: readonly PlannedResource[];
  /** What the members of groups run and wait for, by the configuration that the plan holds. */
  readonly wiring: readonly Wiring[];
  /** What was changed outside of Terraform. Reported, never counted. */
  readonly drift: readonly { readonly address: string; readonly action: string }[];
  /** What is no longer declared and was gone already: Terraform lists no change of it, and takes it out of the state. */
  readonly gone: readonly string[];
}

/** A managed resource in a plan. */
export interface PlannedResource {
  readonly address: string;
  /** Set for an old object that is still to be destroyed. */
  readonly deposed?: string;
  /** Where the resource stood before a `moved` block. */
  readonly previousAddress?: string;
  readonly imported: boolean;
  /** Terraform's words: `no-op`, `create`, `update`, `delete`, `forget`, in its order. */
  readonly actions: readonly string[];
  /** `replace_because_tainted` and the like. */
  readonly reason?: string;
  readonly before: unknown;
  readonly after: unknown;
}
