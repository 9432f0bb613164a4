import { bakeSecondsOf, gateSettingsOf } from "../../spec/gate-settings.js";
import { hostNames, poolsOf } from "../../spec/groups.js";
import { connect } from "../cluster/live-cluster.js";
import { PoolChecks } from "../cluster/pool-checks.js";
import { runCheck } from "../cluster/run-check.js";
import { awaitReady } from "./await-ready.js";
import { groupOf } from "./group-of.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Waits until a group is whole again. */
export async function runReadyHook(
  { env, file, clock, say, signal }: HookContext,
  { subject, hash }: HookArgs,
): Promise<void> {
  const { spec } = file;
  const group = groupOf(file, subject, hash);
  if (group.retires) {
    say(`${group.name}: nothing to wait for: it has no machine any more`);
    return;
  }
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
      { timeoutSeconds: ready.timeoutSeconds, bakeSeconds: bakeSecondsOf(group, spec, file.deployed) },
    );
  } finally {
    await Promise.all([checks.stop(), cluster.close()]);
  }
}
