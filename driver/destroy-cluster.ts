import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "../cluster/address.js";
import type { Deployed } from "../cluster/deployed.js";
import { type Role, roleOf } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { loadProgram } from "../program/program.js";
import { refuseStrays } from "../program/strays.js";
import { among, mayRoll, refuse } from "../rollout/roll/may-roll.js";
import { applyFailure, applyView } from "./apply-view.js";
import type { GroupResult } from "./deploy-result.js";
import { GroupSteps } from "./group-steps.js";
import { ViewPlanner } from "./plan-view.js";
import type { Run } from "./run.js";

const VIEW = "cluster";

/**
 * Destroys all that the state has: clients, then Nomad servers, then Consul servers, as they depend on each other. Nothing is
 * drained, and data volumes go, too.
 * @throws UserError unless the spec has `protection: off`, and with what Terraform said
 */
export async function destroyCluster(run: Run): Promise<GroupResult> {
  const steps = new GroupSteps(run, VIEW);
  try {
    const program = await loadProgram(run.env);
    const { spec, deployed, shown } = program;
    refuse(among(mayRoll(program, []), "not-the-state"), "nothing is destroyed");
    if (spec.protection === "on")
      throw new UserError(
        `protection of ${spec.name} is on, so nothing is destroyed; to tear it down for good set protection: off in ${shown}, have that reviewed, and run this again`,
      );
    if (deployed.addresses.size === 0) return { result: "nothing" };
    for (const line of await refuseStrays(program, VIEW)) steps.say(line);
    const planner = new ViewPlanner(run, VIEW);
    const { summary, result } = await steps.during("plan", "what would be destroyed", () =>
      planner.planDestroy(program),
    );
    await run.confirm({ group: VIEW, role: "client", summary, tool: result.plan.tool, laterHosts: [] });
    for (const { what, role } of STAGES) {
      const targets = role === undefined ? [] : addressesOf(role, deployed);
      // Without a target it would be the whole cluster.
      if (role !== undefined && targets.length === 0) continue;
      await steps.during("apply", `${what} are destroyed`, async () => {
        const plan = await planner.planDestroy(program, targets);
        const applied = await applyView(run, plan, { steps, step: "apply" });
        run.stop.throwIfAborted();
        if (applied.exitCode !== 0) throw applyFailure(run, applied, "run it again: it goes on from here");
      });
    }
    return { result: "applied", seconds: steps.seconds() };
  } finally {
    rmSync(join(run.folder, `plan-${VIEW}`), { force: true });
  }
}

/** Machines of one role do not depend on those of another once they stand, so Terraform alone would go by no order. */
const STAGES: readonly { readonly what: string; readonly role?: Role }[] = [
  { what: "clients", role: "client" },
  { what: "Nomad servers", role: "nomad-server" },
  { what: "Consul servers, and all else" },
];

/** Of the members of a role's groups. */
function addressesOf(role: Role, { addresses }: Deployed): string[] {
  return [...addresses].filter((address) => {
    const member = parseAddress(address);
    return member !== undefined && roleOf(member.pool) === role;
  });
}
