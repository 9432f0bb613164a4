import { parseHostName } from "../../spec/address.js";
import { gateSettingsOf } from "../../spec/gate-settings.js";
import { hostNames, poolsOf } from "../../spec/groups.js";
import { connect } from "../cluster/live-cluster.js";
import { PoolChecks } from "../cluster/pool-checks.js";
import { runCheck } from "../cluster/run-check.js";
import { awaitReady } from "./await-ready.js";
import { groupOf } from "./group-of.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Waits until a group is whole again. */
export async function runReadyHook(
  { env, file, machines, clock, say, signal }: HookContext,
  { subject, hash }: HookArgs,
): Promise<void> {
  const { spec } = file;
  const group = groupOf(file, subject, hash);
  const { workload, ready, bake } = gateSettingsOf(group.pool, spec);
  const pool = poolsOf(spec).find(({ name }) => name === group.pool);
  // A host that a group has lost is destroyed without a hook of its own: its block is gone. It has left before.
  for (const { name } of machines?.list() ?? []) {
    if (parseHostName(name)?.group === group.name && !hostNames(group).includes(name))
      await machines?.stop(name, signal);
  }
  const cluster = await connect(spec, env, clock.now, machines);
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
      { timeoutSeconds: ready.timeoutSeconds, bakeSeconds: bake.seconds },
    );
  } finally {
    await Promise.all([checks.stop(), cluster.close()]);
  }
}
