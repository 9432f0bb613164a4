import { join } from "node:path";
import { parseGroupName } from "../cluster/address.js";
import { gateSettingsOf, type StepList } from "../cluster/gate-settings.js";
import { isLater, stays, type LeaveOrder } from "../rollout/leave/order.js";
import { isUnknown, type Observation } from "../rollout/observation/observation.js";
import type { ClusterGroup } from "../rollout/ready/expected.js";
import { formatFinding, type Finding } from "../rollout/preflight/finding.js";
import { goesOn, objectionsOf } from "../rollout/preflight/pool.js";
import { tryAll } from "../live/checks/run-action.js";
import { type Group, groupsOf, numbersIn, roleOf } from "../cluster/groups.js";
import type { HookFile } from "../cluster/hooks/hook-file.js";
import { connect } from "../live/live-cluster.js";
import { groupOf, type HookArgs, type HookContext } from "./hook-context.js";
import { leaveGroup } from "./leave-group.js";
import { noteLeaving } from "./mark.js";
import { runSteps, undoSteps } from "./steps.js";

/** Makes the work of a group leave before its machines go. */
export async function runLeaveHook(
  context: HookContext,
  { subject, hash, stay = [], laterHosts = [] }: HookArgs,
): Promise<void> {
  const { env, file, machines, clock, say, folder, driver } = context;
  const group = groupOf(file, subject, hash);
  if (!file.deployed.some(({ name }) => name === group.name)) {
    say(`${group.name}: nothing to do: it has never stood, so no work is its own yet`);
    return;
  }
  const order = leaveOrderOf(file, group, { stay, laterHosts });
  if (order.hosts.length === 0) {
    say(`${group.name}: nothing to do: it has no machine`);
    return;
  }
  const cluster = await connect(file.spec, env, clock.now, machines, group.name);
  try {
    const snapshotFile = join(folder, `${group.role.split("-")[0] ?? ""}-${group.name}.snapshot`);
    // What else is in flight in the state was judged when the view was made.
    const ask = (seen: Observation) => askPool(context, group, seen, laterHosts);
    const steps = (list: StepList, seen: Observation): Promise<boolean> =>
      runSteps(list, context, group, seen, goingHosts(order, seen));
    const onLeaving = (): void => {
      if (!driver) noteLeaving(folder, group);
    };
    const deps = { ...context, cluster, snapshotFile, askPool: ask, onLeaving, steps };
    await leaveGroup(deps, order, { cluster: standingIn(file), inFlight: driver?.inFlight ?? [] });
  } catch (error) {
    if (!driver) await undoSteps(context, group);
    throw error;
  } finally {
    await cluster.close();
  }
}

/** The hosts that leave now, or have left. */
function goingHosts(order: LeaveOrder, { consul: { catalog } }: Observation): string[] {
  const there = isUnknown(catalog) ? [] : catalog;
  const stay = new Set(there.flatMap((node) => (stays(order, node) ? [node.name] : [])));
  return order.hosts.filter((host) => !stay.has(host) && !isLater(order, host));
}

export function leaveOrderOf(
  file: HookFile,
  group: Group,
  { stay, laterHosts = [] }: Pick<LeaveOrder, "stay" | "laterHosts">,
): LeaveOrder {
  const { workload, drain } = gateSettingsOf(group.pool, file.spec);
  const hosts = file.deployed.find(({ name }) => name === group.name)?.hosts ?? [];
  const { name, role, hash, retires } = group;
  const servers = serversAfter(file, group);
  return { group: name, role, servers, hash, stay, laterHosts, hosts, workload, retires, drain };
}

/** How many servers of its role there are once a group has what it is to have: other groups get theirs in their own views. */
export const serversAfter = ({ spec, deployed }: HookFile, rolled: Group): number =>
  groupsOf(spec)
    .filter(({ role }) => role === rolled.role)
    .reduce((sum, group) => {
      const current =
        group.name === rolled.name ? undefined : deployed.find((each) => each.name === group.name);
      const own = group.name === rolled.name ? numbersIn(rolled).length : group.hosts;
      return sum + (current ? Math.max(1, current.stood ?? current.hosts.length) : own);
    }, 0);

/** What the pool of a group has against its leave; undefined where nobody asks, so as not to be in the way of what goes on. */
export async function askPool(
  { env, file, say, onCondition, signal, driver }: HookContext,
  group: Group,
  observation: Observation,
  laterHosts: readonly string[],
): Promise<Finding[] | undefined> {
  const { name, pool } = group;
  const { hosts = [], images = [] } = file.deployed.find((each) => each.name === name) ?? {};
  const { maxUnavailable, ready } = gateSettingsOf(pool, file.spec);
  const checks = ready.checks.filter(({ when }) => when !== "after");
  const all = checks.map((check) => check.name).join(", ");
  const batch = {
    ...{ inBatches: Number.isFinite(maxUnavailable), laterHosts },
    ...{ inFlight: driver?.inFlight.length, goesBack: driver?.goesBack },
  };
  if (group.retires || goesOn(observation, group, { hosts, images }, batch)) {
    const why = group.retires ? "retires" : "goes on, is mended or goes back";
    if (all !== "") say(`${name} ${why}, so these checks are not asked: ${all}`);
    return undefined;
  }
  if (all !== "") onCondition(`${name}: ${pool} has to pass ${all}`);
  const groups = standingIn(file).filter((each) => each.pool === pool);
  const answers = await tryAll(checks, groups, name, observation, { env, signal });
  signal.throwIfAborted();
  const found = objectionsOf(observation, group, groups, answers);
  // Its own are what its roll may mend.
  const isOwn = ({ subject }: Finding): boolean => subject === name || hosts.includes(subject);
  for (const finding of found.filter(isOwn)) say(`warning: ${formatFinding(finding)}`);
  return found.filter((finding) => !isOwn(finding));
}

/** Every group that stands, for the preflight. */
export const standingIn = (file: HookFile): ClusterGroup[] =>
  file.deployed.map(({ name, hosts }) => {
    const pool = parseGroupName(name)?.pool ?? name;
    return { name, pool, role: roleOf(pool), hosts };
  });
