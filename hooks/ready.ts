import { parseHostName } from "../cluster/address.js";
import { bakeSecondsOf, gateSettingsOf } from "../cluster/gate-settings.js";
import { type Group, hostNames, poolsOf } from "../cluster/groups.js";
import { GATE_ENVIRONMENT } from "../cluster/hooks/variables.js";
import { connect } from "../live/live-cluster.js";
import { PoolChecks } from "../live/checks/pool-checks.js";
import { runAction } from "../live/checks/run-action.js";
import { awaitReady } from "./await-ready.js";
import { groupOf, type HookArgs, type HookContext } from "./hook-context.js";
import { serversAfter, standingIn } from "./leave.js";
import { runSteps, undoSteps } from "./steps.js";

/**
 * Tells this hook that a group has been whole for its bake time, so that it only looks whether it still is. Set by nobody
 * but the driver, for one apply.
 */
export const BAKED = "ROLLOUT_BAKED";

export const bakedBy = ({ name, hash }: Pick<Group, "name" | "hash">): string => `${name} ${hash}`;

/**
 * Waits until a group is whole again, but for machines that wait for a later batch: these are for the driver, which then
 * has what is new hold for the bake time of every group. With a closed gate it does not: somebody else does, before the gate is opened.
 */
export async function runReadyHook(
  context: HookContext,
  { subject, hash, laterHosts = [] }: HookArgs,
): Promise<void> {
  const { env, file, say } = context;
  if (env[GATE_ENVIRONMENT] === "closed") {
    // A number that is free is given again.
    if (file.numbers?.group === subject) await stopOthers(context, groupOf(file, subject, hash));
    say(`${subject}: its gate comes next, and it is in flight until that has passed`);
    return;
  }
  const group = groupOf(file, subject, hash);
  if (group.retires) {
    if (!context.driver) await undoSteps(context, group);
    say(`${group.name}: nothing to wait for: it has no machine any more`);
    return;
  }
  await stopOthers(context, group);
  await passGate(context, group, laterHosts);
}

/** A host that a group has lost is destroyed without a hook of its own: its block is gone. It has left before. */
async function stopOthers({ machines, signal }: HookContext, group: Group): Promise<void> {
  for (const { name } of machines?.list() ?? []) {
    if (parseHostName(name)?.group === group.name && !hostNames(group).includes(name))
      await machines?.stop(name, signal);
  }
}

/** Waits until a group is whole, of whatever template it is. */
export async function passGate(
  context: HookContext,
  group: Group,
  laterHosts: readonly string[],
): Promise<void> {
  const { env, file, machines, clock, say, onCondition, signal, driver } = context;
  const { spec } = file;
  const { workload, ready, bake } = gateSettingsOf(group.pool, spec);
  const pool = poolsOf(spec).find(({ name }) => name === group.pool);
  const cluster = await connect(spec, env, clock.now, machines, group.name);
  const checks = new PoolChecks(ready.checks, {
    run: (check, subject, ending) => runAction(check, subject, { env, signal: ending }),
    ...clock,
    speed: machines?.speed ?? 1,
  });
  try {
    const hosts = hostNames(group).filter((host) => !laterHosts.includes(host));
    const seen = await awaitReady(
      { cluster, checks, clock, say, onCondition, signal, ...(driver ? { driver } : {}) },
      {
        cluster: spec.name,
        group: group.name,
        pool: group.pool,
        role: group.role,
        servers: serversAfter(file, group),
        image: group.image,
        hash: group.hash,
        hosts,
        laterHosts,
        others: standingIn(file).filter(({ name }) => name !== group.name),
        workload,
        hasLoadBalancer: spec.platform === "aws" && pool?.loadBalancer !== undefined,
        hasMachines: spec.platform === "aws",
        isNew: !file.deployed.some(({ name }) => name === group.name),
        checks: ready.checks,
      },
      {
        timeoutSeconds: ready.timeoutSeconds,
        bakeSeconds:
          env[BAKED] === bakedBy(group)
            ? 0
            : laterHosts.length > 0
              ? bake.seconds
              : bakeSecondsOf(group, spec, file.deployed),
      },
    );
    const after = (): Promise<unknown> => runSteps("afterReady", context, group, seen, hosts);
    if (driver?.later) driver.later(after);
    else await after();
  } finally {
    if (!driver) await undoSteps(context, group);
    await Promise.all([checks.stop(), cluster.close()]);
  }
}
