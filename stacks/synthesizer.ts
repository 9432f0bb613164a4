import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ISynthesisSession, IStackSynthesizer, TerraformStack } from "cdktf";
import { HOOK_FILE } from "../cluster/hooks/variables.js";
import { UserError } from "../cluster/user-error.js";

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
    /** What the hooks of the stack read. */
    private readonly hookFile: string,
  ) {}

  synthesize(session: ISynthesisSession): void {
    const folder = join(this.cluster, this.stack.node.id);
    Object.assign(session.manifest.forStack(this.stack), {
      workingDirectory: folder,
      synthesizedStackPath: join(folder, "cdk.tf.json"),
      stackMetadataPath: join(folder, "metadata.json"),
    });
    const written = join(session.outdir, folder);
    mkdirSync(written, { recursive: true });
    refuseOthers(written);
    const stackFile = join(written, "cdk.tf.json");
    const remembered = join(written, ".terraform", "terraform.tfstate");
    const before = existsSync(remembered) ? backendOf(stackFile) : undefined;
    this.inner.synthesize(session);
    writeFileSync(join(written, HOOK_FILE), this.hookFile);
    if (before !== undefined && !isDeepStrictEqual(before, backendOf(stackFile))) rmSync(remembered);
    refuseWorkspace(written);
  }
}

/** As by TF_WORKSPACE, another state than the one that was read would be planned. What is to be run needs the stack. */
function refuseWorkspace(folder: string): void {
  const file = join(folder, ".terraform", "environment");
  const workspace = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (workspace === "" || workspace === "default") return;
  throw new UserError(
    `the workspace "${workspace}" is selected in ${folder}: a cluster has one state, the one that the spec's backend names; run there: terraform workspace select default`,
  );
}

/**
 * Terraform takes in every such file of a folder, and an override file changes what the others say without a trace in the
 * plan: when a hook runs, and in which state.
 */
function refuseOthers(folder: string): void {
  const others = readdirSync(folder).filter(
    // What begins with a dot it leaves alone.
    (name) => /^[^.].*\.(tf|tofu)(\.json)?$/.test(name) && name !== "cdk.tf.json",
  );
  if (others.length > 0) {
    throw new UserError(
      `${folder} has files that this program did not write, and Terraform would take them into the stack: ${others.sort().join(", ")}; move them away: what is your own is declared by inEachView in a program`,
    );
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
