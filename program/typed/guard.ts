import { parseState } from "../../clients/state/parse-state.js";
import { nothingDeployed } from "../../cluster/deployed.js";
import { withRecordedSizes } from "../../cluster/recorded-sizes.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { judgePlan } from "../../guard/judge.js";
import { readPlan } from "../../guard/plan/read-plan.js";
import type { Verdict } from "../../guard/verdict.js";

export type { RuleId, Verdict, Violation } from "../../guard/verdict.js";

/** What a plan is held against. */
export interface Declared {
  /** The text of `cluster.yaml`, or of the `desired.json` that a program writes. */
  readonly cluster: string;
  /** What `terraform state pull` printed before the plan was made; empty where nothing is deployed. */
  readonly state: string;
  /** The texts of the files that pools name as `userData`, by path. Default: they name none. */
  readonly userData?: Readonly<Record<string, string>>;
}

/**
 * Judges a plan as `rollout check` does, without a cluster, a backend or Terraform. It says nothing of pauses, and of a plan
 * in JSON nothing that stands in a saved plan alone.
 * @param plan what `terraform show -json` printed
 * @throws UserError where one of the three cannot be read
 */
export function judge(plan: string, { cluster, state, userData = {} }: Declared): Verdict {
  const textOf = (path: string): Uint8Array | string => {
    const text = Object.hasOwn(userData, path) ? userData[path] : undefined;
    return text === undefined ? `got ${path}, whose text is not given` : new TextEncoder().encode(text);
  };
  const spec = withUserData(loadSpec(cluster, "the cluster"), "the cluster", textOf);
  const where = "the state";
  const deployed =
    state.trim() === ""
      ? nothingDeployed({ kind: "state", where, serial: 0, lineage: "" })
      : parseState(state, { where, cluster: spec.name, platform: spec.platform });
  return judgePlan(readPlan(new TextEncoder().encode(plan)), {
    spec: withRecordedSizes(spec, deployed),
    deployed,
  });
}
