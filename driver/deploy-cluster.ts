import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ClusterState } from "../cluster/cluster-state.js";
import { UserError } from "../cluster/user-error.js";
import { connect } from "../live/live-cluster.js";
import { machinesOf } from "../live/local-agents.js";
import { loadProgram } from "../program/program.js";
import { refuseStrays, secondCluster, unsaidSecond } from "../program/strays.js";
import { among, mayRoll, refuse } from "../rollout/roll/may-roll.js";
import { applyAtOnce } from "./apply-view.js";
import type { GroupResult } from "./deploy-result.js";
import { GroupSteps } from "./group-steps.js";
import { annotationsOf, outputsOf } from "./notes-of-view.js";
import { ViewPlanner } from "./plan-view.js";
import type { Run } from "./run.js";

const VIEW = "cluster";

/**
 * Plans the view `cluster`, which creates what is new and rolls no group, has the plan judged and applies that very plan.
 * @throws UserError with what Terraform said; PlanRejected with what the guard said
 */
export async function deployCluster(run: Run): Promise<GroupResult> {
  const steps = new GroupSteps(run, VIEW);
  try {
    const program = await loadProgram(run.env);
    const counts = program.views.includes(VIEW) ? [] : (["in-flight"] as const);
    refuse(among(mayRoll(program, []), "not-the-state", ...counts), "nothing is created");
    await refuseSecond(program, run);
    for (const line of await refuseStrays(program, VIEW)) steps.say(line);
    const plan = await steps.during("plan", "what would be done, and whether the guard accepts it", () =>
      new ViewPlanner(run, VIEW).plan(undefined, program),
    );
    const { summary, result } = plan;
    for (const line of annotationsOf(VIEW, plan)) steps.say(line);
    if (summary.changes.length === 0) return { result: "nothing" };
    await run.confirm({ group: VIEW, role: "client", summary, tool: result.plan.tool, laterHosts: [] });
    await steps.during("apply", "what is new is created", () => applyAtOnce(run, plan, steps));
    for (const line of await outputsOf(run, plan)) steps.say(line);
    return { result: "applied", seconds: steps.seconds() };
  } finally {
    rmSync(join(run.folder, `plan-${VIEW}`), { force: true });
  }
}

/**
 * Where nothing is deployed, a backend that is named wrong looks the same, and would make a second cluster beside the first.
 * Nobody answers where a cluster is really new.
 */
async function refuseSecond({ spec, deployed }: ClusterState, { env, clock, folder }: Run): Promise<void> {
  if (deployed.addresses.size > 0) return;
  let hosts: string[];
  try {
    const cluster = await connect(spec, env, clock.now, machinesOf(spec, folder));
    try {
      const nodes = await cluster.consul.nodes();
      hosts = nodes.flatMap(({ Node, Meta }) => (Meta["rollout_cluster"] === spec.name ? [Node] : []));
    } finally {
      await cluster.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const refusal = unsaidSecond(error, spec);
    if (refusal) throw refusal;
    return;
  }
  if (hosts.length > 0) throw secondCluster({ spec, deployed }, "Consul", hosts);
}
