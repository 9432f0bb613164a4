import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { readDeclared } from "../guard/declared.js";
import { deployedFromSpec, nothingDeployed, type Deployed } from "../cluster/deployed.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { addViews } from "./add-views.js";

/**
 * What would be deployed if a spec had been rolled out completely: for a review where the state cannot be read. The
 * addresses are those that its cluster view declares.
 * @param where what the origin is called, such as `git:origin/main`
 */
export function baselineOf(spec: Spec, where: string): Deployed {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-baseline-"));
  try {
    const deployed = nothingDeployed({ kind: "spec", where });
    const props = { spec, deployed, specFolder: ".", program: "rollout", cause: where };
    const declared = addViews(new App({ outdir }), ["cluster"], props).flatMap((stack) =>
      readDeclared(stack.toTerraform()),
    );
    const addresses = declared.map(({ address }) => address);
    return deployedFromSpec(spec, where, new Set(addresses));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
