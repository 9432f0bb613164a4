import type { TerraformStack } from "cdktf";
import type { ViewedPool } from "../cluster/viewed-pool.js";

/** A view of the cluster: a stack for Terraform, to which a program adds what is its own. */
export interface View extends TerraformStack {
  /** What is shared of a pool: names and references, and never a machine. @throws UserError for a pool that is not declared */
  pool(pool: { readonly name: string }): ViewedPool;
}
