import type { Environment } from "../clients/environment.js";
import type { Deployed } from "../cluster/deployed.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { readDeployed } from "../program/read-deployed.js";
import { readSpec } from "../program/read-spec.js";

/** What a plan is held against. */
export interface Context {
  readonly spec: Spec;
  readonly deployed: Deployed;
}

/** @throws UserError when the spec or what is deployed cannot be read */
export async function readContext(env: Environment): Promise<Context> {
  const source = readSpec(env);
  return { spec: source.spec, deployed: await readDeployed(source, env) };
}
