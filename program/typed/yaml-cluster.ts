import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Construct } from "constructs";
import { UserError } from "../../cluster/user-error.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { filesIn, readSpec } from "../read-spec.js";
import { ClusterBase } from "./cluster-base.js";
import type { Asking, Desired } from "./desired.js";

/** A cluster that a YAML declares, and to which a program adds what is its own. */
export class YamlCluster extends ClusterBase {
  /** @param file default: the one that every verb reads */
  constructor(
    scope: Construct,
    private readonly file: string | undefined,
  ) {
    super(scope, "cluster");
  }

  source({ env }: Asking): Desired {
    const { file } = this;
    const named = env["CLUSTER"] ?? "";
    if (file !== undefined && named !== "" && resolve(named) !== resolve(file))
      throw new UserError(
        `CLUSTER is ${named}, and the program reads ${file}; unset CLUSTER, or let the program read it: RolloutApp.fromYaml()`,
        2,
      );
    const found = readSpec(file === undefined ? env : { ...env, CLUSTER: file });
    const desired = readFileSync(found.file, "utf8");
    const { file: path, shown } = found;
    const spec = withUserData(loadSpec(desired, shown), shown, filesIn(dirname(path)));
    return { ...found, spec, desired };
  }
}
