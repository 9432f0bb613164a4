import type { TerraformResourceLifecycle } from "cdktf";

/**
 * What Terraform may do to a resource in a view.
 * - `live`: anything.
 * - `kept`: change it in place, never destroy it.
 * - `ignored`: replace it when something it is triggered by is replaced, never change it.
 * - `frozen`: nothing. It stays as it is deployed, whatever the configuration says.
 *
 * A freeze holds against changes and replacements. Creations and dropped blocks only the guard stops.
 */
export type Protection = "live" | "kept" | "ignored" | "frozen";

/** What must hold, or Terraform refuses to plan or to go on. */
export interface Condition {
  readonly condition: string;
  readonly errorMessage: string;
}

export interface Lifecycle {
  readonly protection: Protection;
  /** References such as `aws_instance.consul-server-1-0.id`. */
  readonly replaceTriggeredBy?: readonly string[];
  /** Of what the resource comes after. */
  readonly precondition?: Condition;
  /** Of the resource, by `self`. */
  readonly postcondition?: Condition;
}

/** The `lifecycle` block that a protection is written as, with what else belongs there; none where it would be empty. */
export function lifecycleOf({ protection, replaceTriggeredBy, precondition, postcondition }: Lifecycle): {
  readonly lifecycle?: TerraformResourceLifecycle;
} {
  const lifecycle = {
    ...WRITTEN_AS[protection],
    ...(replaceTriggeredBy ? { replaceTriggeredBy: [...replaceTriggeredBy] } : {}),
    ...(precondition ? { precondition: [precondition] } : {}),
    ...(postcondition ? { postcondition: [postcondition] } : {}),
  };
  return Object.keys(lifecycle).length > 0 ? { lifecycle } : {};
}

const WRITTEN_AS: Readonly<Record<Protection, TerraformResourceLifecycle>> = {
  live: {},
  kept: { preventDestroy: true },
  ignored: { ignoreChanges: "all" },
  frozen: { preventDestroy: true, ignoreChanges: "all" },
};
