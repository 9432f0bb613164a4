import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { readSpec } from "../../program/read-spec.js";
import { type Deployed, nothingDeployed } from "../../cluster/deployed.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { addViews } from "../../stacks/add-views.js";

/** The cluster of this clone: `cluster.yaml`, or what `CLUSTER` names, else the example. */
export const ownSpec = (): Spec => readSpec(process.env).spec;

export const nothing = nothingDeployed({ kind: "state", where: "none", serial: 0, lineage: "" });

/** A view as it is synthesized, without paths of this machine; what the guard refuses fails here. */
export function synthesizeView(spec: Spec, deployed: Deployed, view: string): string {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-infrastructure-"));
  try {
    const props = {
      spec,
      deployed,
      specFolder: "../../..",
      program: "../../../dist/bin/rollout.js",
      cause: "<commit>",
    };
    const stacks = addViews(new App({ outdir }), [view], props);
    return JSON.stringify(
      stacks.map((stack) => {
        stack.prepareStack();
        stack.runAllValidations();
        return stack.toTerraform();
      })[0],
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
