import { dirname, isAbsolute, join } from "node:path";
import type { Deployed } from "../../cluster/deployed.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import { commandIn } from "../terraform/find.js";
import { readLocalState } from "./local-state.js";

/**
 * What is deployed, read from the state that the spec's backend names; an empty state is a result. An s3 backend takes a
 * second or two and the network.
 * @param specFile the path of the spec: a local state's path is relative to it
 * @param env merged over the process's own
 * @throws UserError when the state cannot be read, in full; there is no fallback
 */
export async function readState(spec: Spec, specFile: string, env: Environment = {}): Promise<Deployed> {
  refuseWorkspace({ ...process.env, ...env });
  await refuseEncryption(spec, { ...process.env, ...env });
  const { backend, name: cluster, platform } = spec;
  if (backend.type === "local") {
    const file = isAbsolute(backend.path) ? backend.path : join(dirname(specFile), backend.path);
    return readLocalState(file, { where: backend.path, cluster, platform });
  }
  const where = `s3://${backend.bucket}/${backend.key}`;
  const { readS3State } = await import("./s3-state.js");
  return readS3State(backend, { where, cluster, platform }, env);
}

/**
 * OpenTofu would encrypt a local state with its first write: machines would be there of which nothing can be known. Terraform
 * does not read the variable.
 */
export async function refuseEncryption({ backend }: Pick<Spec, "backend">, env: Environment): Promise<void> {
  if (backend.type !== "local" || !/\bstate\s*\{|"state"\s*:/.test(env["TF_ENCRYPTION"] ?? "")) return;
  if ((await commandIn(env).catch(() => "terraform")) === "terraform") return;
  throw new UserError(
    `TF_ENCRYPTION encrypts the state, and ${backend.path} is read directly: keep the state in s3, where OpenTofu reads it, or take "state" out of TF_ENCRYPTION ("plan" may stay); nothing was done`,
  );
}

/** Terraform would read and write another state than the backend names, and `init` would even create it. */
function refuseWorkspace(env: Environment): void {
  const workspace = env["TF_WORKSPACE"] ?? "";
  if (workspace === "" || workspace === "default") return;
  throw new UserError(
    `TF_WORKSPACE is set: "${workspace}"; unset it: a cluster has one state, the one that the spec's backend names`,
  );
}
