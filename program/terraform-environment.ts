import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../clients/environment.js";

/** The environment of Terraform, with a cache of providers that all stacks share: each would have its own copy else. */
export function terraformEnvironment(env: Environment): Environment {
  const cache = env["TF_PLUGIN_CACHE_DIR"] ?? join(homedir(), ".terraform.d", "plugin-cache");
  mkdirSync(cache, { recursive: true });
  return { ...env, TF_PLUGIN_CACHE_DIR: cache };
}
