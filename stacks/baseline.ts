import { readDeclared } from "../guard/declared.js";
import { deployedFromSpec, nothingDeployed, type Deployed } from "../cluster/deployed.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { inspectView } from "./add-views.js";
import type { ViewProps } from "./view-stack.js";

/**
 * What would be deployed if a spec had been rolled out completely: for a review where the state cannot be read. The
 * addresses are those that its cluster view declares.
 * @param where what the origin is called, such as `git:origin/main`
 */
export function baselineOf(spec: Spec, where: string, addOwn?: ViewProps["addOwn"]): Deployed {
  const deployed = nothingDeployed({ kind: "spec", where });
  const addresses = inspectView("cluster", { spec, deployed, cause: where, addOwn }, (stack) =>
    readDeclared(stack.toTerraform()).map(({ address }) => address),
  );
  return deployedFromSpec(spec, where, new Set(addresses));
}
