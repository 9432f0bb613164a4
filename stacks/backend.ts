import { LocalBackend, S3Backend, type TerraformStack } from "cdktf";
import { localPathOf, s3BackendBlock } from "../cluster/backend.js";
import type { Backend } from "../cluster/yaml/schema.js";

/**
 * Where the state lies: the same for every view. A local path is written relative to the folder of the stack, since
 * Terraform resolves it there.
 */
export function addBackend(stack: TerraformStack, backend: Backend, specFolder: string): void {
  if (backend.type === "local") {
    new LocalBackend(stack, { path: localPathOf(backend, specFolder) });
    return;
  }
  new S3Backend(stack, { bucket: backend.bucket, key: backend.key, region: backend.region });
  // Overridden as a whole, since cdktf's class lacks use_lockfile.
  for (const [key, value] of Object.entries(s3BackendBlock(backend)))
    stack.addOverride(`terraform.backend.s3.${key}`, value);
}
