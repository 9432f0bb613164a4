import type { Proposal } from "./proposal.js";

/**
 * How Terraform is called where a view lies, from the folder of the spec: `terraform -chdir=cdktf.out/demo/broker-0`. A plan
 * that names no view has no folder that is known.
 */
export const terraformIn = ({ spec, view }: Pick<Proposal, "spec" | "view">): string =>
  view === "unknown" ? "terraform" : `terraform -chdir=cdktf.out/${spec.name}/${view}`;
