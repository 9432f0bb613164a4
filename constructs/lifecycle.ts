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

/** The `lifecycle` block that a protection is written as. */
export function lifecycleOf(protection: Protection): TerraformResourceLifecycle | undefined {
  switch (protection) {
    case "live":
      return undefined;
    case "kept":
      return { preventDestroy: true };
    case "ignored":
      return { ignoreChanges: "all" };
    case "frozen":
      return { preventDestroy: true, ignoreChanges: "all" };
  }
}

/** What must hold of a resource, by `self`, or Terraform refuses the plan. */
export interface Postcondition {
  readonly condition: string;
  readonly errorMessage: string;
}
