import { rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readHold } from "../clients/run-store/hold.js";
import { parseAddress } from "../cluster/address.js";
import type { Deployed } from "../cluster/deployed.js";
import { poolsOf, type Role, roleOf } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { loadProgram, type Program } from "../program/program.js";
import { isOfProgram } from "../program/run-program.js";
import { refuseStrays } from "../program/strays.js";
import { describeHold } from "../rollout/log/time.js";
import { among, mayRoll, refuse } from "../rollout/roll/may-roll.js";
import { applyAtOnce } from "./apply-view.js";
import type { GroupResult } from "./deploy-result.js";
import { GroupSteps } from "./group-steps.js";
import { ViewPlanner } from "./plan-view.js";
import type { Run } from "./run.js";

const VIEW = "cluster";

/**
 * Destroys a cluster: clients, then Nomad servers, then Consul servers. Nothing is drained, and data volumes go, too. Before each
 * of these it is looked again whether that is still wanted.
 * @throws UserError unless the spec has `protection: off`, and with what Terraform said
 */
export async function destroyCluster(run: Run): Promise<GroupResult> {
  const steps = new GroupSteps(run, VIEW);
  try {
    const program = await wanted(run);
    for (const line of await refuseStrays(program, VIEW)) steps.say(line);
    if (program.deployed.addresses.size === 0) return { result: "nothing" };
    const planner = new ViewPlanner(run, VIEW);
    const { summary, result } = await steps.during("plan", "what would be destroyed", () =>
      planner.planDestroy(program),
    );
    await run.confirm({ group: VIEW, role: "client", summary, tool: result.plan.tool, laterHosts: [] });
    for (const { what, role } of STAGES) {
      const targets = role === undefined ? [] : addressesOf(role, program.deployed);
      // Without a target it would be the whole cluster.
      if (role !== undefined && targets.length === 0) continue;
      await steps.during("apply", `${what} are destroyed`, async () => {
        const plan = await planner.planDestroy(await stillWanted(run, program), targets);
        await applyAtOnce(run, plan, steps);
      });
    }
    return { result: "applied", seconds: steps.seconds() };
  } finally {
    rmSync(join(run.folder, `plan-${VIEW}`), { force: true });
  }
}

/** What is to be destroyed, where that is allowed. */
async function wanted({ env, store, clock }: Run): Promise<Program> {
  const program = await loadProgram(env);
  const { spec, deployed } = program;
  refuse(among(mayRoll(program, []), "not-the-state"), "nothing is destroyed");
  if (spec.protection === "on")
    throw new UserError(
      `protection of ${spec.name} is on, so nothing is destroyed; to tear it down for good set protection: off in ${isOfProgram(program) ? "its program" : program.shown}, have that reviewed, and run this again`,
    );
  const hold = await readHold(store, clock.now());
  if (hold)
    throw new UserError(
      `${spec.name} ${hold.kind === "pause" ? "is paused" : "is being cancelled"} ${describeHold(hold, clock.now())}, so nothing is destroyed; first: rollout resume`,
    );
  const kept = poolsOf(spec).flatMap(({ name, retire }) => (retire === "keep-volumes" ? name : []));
  const volumes = [...deployed.addresses].filter((address) => {
    const { kind, pool = "" } = parseAddress(address) ?? {};
    return kind === "data" && kept.includes(pool);
  });
  if (volumes.length > 0)
    throw new UserError(
      `data volumes of a pool that retires with keep-volumes would be destroyed: ${volumes.sort().join(", ")}; first set protection: on and let the pool leave, as rollout status says, or set retire: delete-volumes`,
    );
  return program;
}

/** Somebody may have changed his mind while the question stood, or while an earlier stage ran. */
async function stillWanted(run: Run, confirmed: Program): Promise<Program> {
  const now = await wanted(run);
  const more = [...now.deployed.addresses].filter((address) => !confirmed.deployed.addresses.has(address));
  if (more.length > 0 || !isDeepStrictEqual(now.spec, confirmed.spec))
    throw new UserError(
      `${more.length > 0 ? `${more.sort().join(", ")} came` : "the spec was edited"} since it was asked whether all of it may go, so no more is destroyed; run this again`,
    );
  return now;
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
