import type { Environment } from "../clients/environment.js";
import { refuseEncryption } from "../clients/state/read-state.js";
import { groupsOf, poolsOf } from "../cluster/groups.js";
import { readSpec } from "../program/read-spec.js";
import { refuseStale } from "../program/run-program.js";
import { untriedTerraform } from "../program/untried-terraform.js";

/** Checks the spec alone, and names a Terraform that was not tried: nothing is read of the cluster. `rollout status` asks what is deployed. */
export async function runValidate(env: Environment): Promise<string> {
  await refuseStale(env);
  const { spec, shown } = readSpec(env);
  await refuseEncryption(spec, env);
  const hosts = groupsOf(spec).reduce((sum, group) => sum + group.hosts, 0);
  const pools = poolsOf(spec).length;
  for (const warning of await untriedTerraform(env)) console.error(warning);
  return `${shown} is valid: ${spec.name}, ${String(pools)} pools of three groups, ${String(hosts)} hosts`;
}
