import type { Environment } from "../clients/environment.js";
import { groupsOf, poolsOf } from "../cluster/groups.js";
import { readSpec } from "../program/read-spec.js";

/** Checks the spec alone: nothing is read of the cluster. `rollout status` asks what is deployed. */
export function runValidate(env: Environment): string {
  const { spec, shown } = readSpec(env);
  const hosts = groupsOf(spec).reduce((sum, group) => sum + group.hosts, 0);
  const pools = poolsOf(spec).length;
  return `${shown} is valid: ${spec.name}, ${String(pools)} pools of three groups, ${String(hosts)} hosts`;
}
