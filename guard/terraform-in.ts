import type { Tool } from "./plan/format.js";
import type { Proposal } from "./proposal.js";

/** How the program that made a plan is called. */
export const commandOf = (tool: Tool): "terraform" | "tofu" => (tool === "OpenTofu" ? "tofu" : "terraform");

/**
 * How Terraform is called where a view lies, from the folder of the spec: `terraform -chdir=cdktf.out/demo/broker-0`. A plan
 * that names no view has no folder that is known.
 */
export function terraformIn({ spec, view, plan }: Pick<Proposal, "spec" | "view" | "plan">): string {
  const command = commandOf(plan?.tool ?? "Terraform");
  return view === "unknown" ? command : `${command} -chdir=cdktf.out/${spec.name}/${view}`;
}
