import type { Environment } from "../clients/environment.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { readDeployed } from "../program/read-deployed.js";
import { readSpec } from "../program/read-spec.js";

/**
 * What a plan is held against.
 * @throws UserError when the spec or what is deployed cannot be read
 */
export async function readContext(env: Environment): Promise<ClusterState> {
  const source = readSpec(env);
  return { spec: source.spec, deployed: await readDeployed(source, env) };
}
