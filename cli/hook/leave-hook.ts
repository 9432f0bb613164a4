import { resolve } from "node:path";
import { parseGroupName } from "../../spec/address.js";
import { gateSettingsOf } from "../../spec/gate-settings.js";
import { roleOf } from "../../spec/groups.js";
import { connect } from "../cluster/live-cluster.js";
import { groupOf } from "./group-of.js";
import { leaveGroup } from "./leave-group.js";
import type { HookArgs, HookContext } from "./hook-context.js";

/** Makes the work of a group leave before its machines go. */
export async function runLeaveHook(
  { env, file, clock, say, signal }: HookContext,
  { subject, hash, stay = "" }: HookArgs,
): Promise<void> {
  const group = groupOf(file, subject, hash);
  const deployed = file.deployed.find(({ name }) => name === group.name);
  if (!deployed) {
    say(`${group.name}: nothing to do: it has never stood, so no work is its own yet`);
    return;
  }
  if (deployed.hosts.length === 0) {
    say(`${group.name}: nothing to do: it has no machine`);
    return;
  }
  const { workload, drain } = gateSettingsOf(group.pool, file.spec);
  const order = {
    group: group.name,
    role: group.role,
    hash: group.hash,
    stay: stay.split(",").filter((host) => host !== ""),
    hosts: deployed.hosts,
    workload,
    retires: group.retires,
    drain,
  };
  const others = file.deployed.map(({ name, hosts }) => {
    const pool = parseGroupName(name)?.pool ?? name;
    return { name, pool, role: roleOf(pool), hosts };
  });
  const cluster = await connect(file.spec, env, clock.now);
  try {
    const snapshotFile = resolve(`consul-${group.name}.snapshot`);
    // What is in flight in the state was judged when the view was made.
    await leaveGroup({ cluster, clock, say, signal, snapshotFile }, order, { cluster: others, inFlight: [] });
  } finally {
    await cluster.close();
  }
}
