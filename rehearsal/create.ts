import { phasesOfCreation } from "./phases.js";
import type { RehearsalStep } from "./report.js";
import { groupsOf } from "../cluster/groups.js";
import { deployView } from "./deploy.js";
import { difference, machineIds } from "./differences.js";
import { narrate } from "../driver/narrate.js";
import type { Rehearsing } from "./rehearsing.js";
import type { Say } from "./tasks.js";

/** Creates the cluster, as `cdktf deploy cluster` does. */
export async function createCluster(rehearsing: Rehearsing, say: Say): Promise<RehearsalStep> {
  const begun = performance.now();
  const program = await rehearsing.program("the rehearsal");
  const hosts = groupsOf(program.spec).reduce((sum, group) => sum + group.hosts, 0);
  const applied = await deployView(program, "cluster", {
    outdir: rehearsing.outdir,
    stop: rehearsing.stop,
    onEvent: narrate(say),
  });
  const { deployed, views } = await rehearsing.program();
  const machines = [...machineIds(deployed).keys()];
  return {
    step: "create",
    group: null,
    change: null,
    machines,
    seconds: (performance.now() - begun) / 1000,
    phases: phasesOfCreation(applied),
    refusal: null,
    problems: [
      ...difference("machines", machines.length, hosts),
      ...difference("views on offer", views, ["cluster"]),
    ],
  };
}
