import { bakeSecondsOf, gateSettingsOf } from "../../spec/gate-settings.js";
import { GATE_ENVIRONMENT } from "../../spec/rollout-gate.js";
import { type Group, hostNames, poolsOf } from "../../spec/groups.js";
import { connect } from "../cluster/live-cluster.js";
import { PoolChecks } from "../cluster/pool-checks.js";
import { runCheck } from "../cluster/run-check.js";
import { awaitReady } from "./await-ready.js";
import { groupOf } from "./group-of.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/**
 * Tells this hook that a group has been whole for its bake time, so that it only looks whether it still is. Set by nobody
 * but the driver, for one apply.
 */
export const BAKED = "ROLLOUT_BAKED";

export const bakedBy = ({ name, hash }: Pick<Group, "name" | "hash">): string => `${name} ${hash}`;

/** Waits until a group is whole again. With a closed gate it does not: somebody else does, before the gate is opened. */
export async function runReadyHook(
  { env, file, clock, say, signal }: HookContext,
  { subject, hash }: HookArgs,
): Promise<void> {
  if (env[GATE_ENVIRONMENT] === "closed") {
    say(`${subject}: nothing is proven: the gate is closed, so the group stays in flight`);
    return;
  }
  const { spec } = file;
  const group = groupOf(file, subject, hash);
  const { workload, ready } = gateSettingsOf(group.pool, spec);
  const pool = poolsOf(spec).find(({ name }) => name === group.pool);
  const cluster = await connect(spec, env, clock.now);
  const checks = new PoolChecks(ready.checks, {
    run: (check, machine, ending) => runCheck(check, machine, { env, signal: ending }),
    now: clock.now,
  });
  try {
    await awaitReady(
      { cluster, checks, clock, say, signal },
      {
        cluster: spec.name,
        group: group.name,
        role: group.role,
        image: group.image,
        hash: group.hash,
        hosts: hostNames(group),
        workload,
        attributes: {},
        // A machine that was made from this template has proven by its metadata that it is the new one.
        oldIds: [],
        hasLoadBalancer: spec.platform === "aws" && pool?.loadBalancer !== undefined,
        hasMachines: spec.platform === "aws",
        checks: ready.checks,
      },
      {
        timeoutSeconds: ready.timeoutSeconds,
        bakeSeconds: env[BAKED] === bakedBy(group) ? 0 : bakeSecondsOf(group, spec, file.deployed),
      },
    );
  } finally {
    await Promise.all([checks.stop(), cluster.close()]);
  }
}
