import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ISynthesisSession, IStackSynthesizer, TerraformStack } from "cdktf";

/**
 * Writes a stack into a folder of its cluster, `cdktf.out/demo/broker-0`, so that two clusters that share an output
 * folder never share a stack's folder. Where the backend of a folder has changed, what Terraform remembers of the old
 * one is dropped, as `terraform init -reconfigure` does.
 */
export class ClusterFolderSynthesizer implements IStackSynthesizer {
  constructor(
    private readonly inner: IStackSynthesizer,
    private readonly stack: TerraformStack,
    private readonly cluster: string,
  ) {}

  synthesize(session: ISynthesisSession): void {
    const folder = join(this.cluster, this.stack.node.id);
    Object.assign(session.manifest.forStack(this.stack), {
      workingDirectory: folder,
      synthesizedStackPath: join(folder, "cdk.tf.json"),
      stackMetadataPath: join(folder, "metadata.json"),
    });
    mkdirSync(join(session.outdir, folder), { recursive: true });
    const before = backendOf(join(session.outdir, folder, "cdk.tf.json"));
    this.inner.synthesize(session);
    const after = backendOf(join(session.outdir, folder, "cdk.tf.json"));
    if (before !== undefined && !isDeepStrictEqual(before, after)) {
      rmSync(join(session.outdir, folder, ".terraform", "terraform.tfstate"), { force: true });
    }
  }
}

function backendOf(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    const stack = JSON.parse(readFileSync(file, "utf8")) as { terraform?: { backend?: unknown } };
    return stack.terraform?.backend;
  } catch {
    return "unreadable";
  }
}
