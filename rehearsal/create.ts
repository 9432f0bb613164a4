import { phasesOfCreation } from "./phases.js";
import type { RehearsalStep } from "./report.js";
import { groupsOf } from "../cluster/groups.js";
import { deployCluster } from "../driver/deploy-cluster.js";
import { drive } from "./drive.js";
import { difference, machineIds } from "./differences.js";
import type { Rehearsing } from "./rehearsing.js";
import type { Say } from "./tasks.js";

/** Creates the cluster by its view, as `cdktf deploy cluster` does. */
export async function createCluster(rehearsing: Rehearsing, say: Say): Promise<RehearsalStep> {
  const begun = performance.now();
  const { spec } = await rehearsing.program();
  const hosts = groupsOf(spec).reduce((sum, group) => sum + group.hosts, 0);
  const recorded = await drive(rehearsing, { view: "cluster", cause: "the rehearsal", say }, deployCluster);
  const { deployed, views } = await rehearsing.program();
  const machines = [...machineIds(deployed).keys()];
  return {
    step: "create",
    group: null,
    change: null,
    machines,
    seconds: (performance.now() - begun) / 1000,
    phases: phasesOfCreation(recorded),
    refusal: null,
    problems: [
      ...difference("machines", machines.length, hosts),
      ...difference("views on offer", views, ["cluster"]),
    ],
  };
}
