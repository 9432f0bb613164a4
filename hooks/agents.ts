import type { LocalMachine, LocalMachines } from "../clients/local-machines/machines.js";
import { parseHostName } from "../cluster/address.js";
import { localSettingsOf } from "../cluster/local-agents.js";
import { UserError } from "../cluster/user-error.js";
import { localAgents } from "../live/local-agents.js";
import { groupOf, type HookArgs, type HookContext } from "./hook-context.js";
import type { HookFile } from "../cluster/hooks/hook-file.js";
import { groupsOf, hostNames, serversOf } from "../cluster/groups.js";

/** Starts the agents of a machine of platform local, which report what the machine was made from. */
export async function runStartAgentsHook(
  { file, machines, say, signal }: HookContext,
  { subject: host, hash }: HookArgs,
): Promise<void> {
  const member = parseHostName(host);
  if (!machines || !member) throw new UserError(`no host ${host}; synthesize and plan again`, 2);
  const { name: group, pool, role, image } = groupOf(file, member.group, hash);
  const { agents, speed } = localSettingsOf(file.spec);
  if (agents === "none") {
    await machines.stop(host, signal);
    say(`${host}: nothing to start: local.agents is none`);
    return;
  }
  const meta = {
    rollout_cluster: file.spec.name,
    rollout_pool: pool,
    rollout_group: group,
    rollout_host: host,
    rollout_image: image,
    rollout_template_hash: hash ?? "",
  };
  if (await runsAsDesired(host, { agents, meta }, machines)) {
    say(`${host}: its ${agents} agents run ${image} already`);
    return;
  }
  const servers = serversOf(file.spec, role);
  await machines.start(agents, { name: host, role, meta, speed, servers }, signal);
  const { address } = machines.get(host);
  say(`${host}: its ${agents} agents run ${image} at ${address}`);
}

/** A hook runs again where nobody knows whether it has ended, and what it has done by then stands. */
async function runsAsDesired(
  host: string,
  { agents, meta }: Pick<LocalMachine, "agents"> & { readonly meta: Readonly<Record<string, string>> },
  machines: LocalMachines,
): Promise<boolean> {
  const machine = machines.list().find(({ name }) => name === host);
  if (machine?.agents !== agents) return false;
  const own = localAgents({}, machines);
  try {
    const { Meta } = await (await own.consul(host)).self();
    if (machine.nomad !== undefined) await (await own.nomad(host)).self();
    return Object.entries(meta).every(([key, value]) => Meta?.[key] === value);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  } finally {
    await own.close();
  }
}

/** Ends whatever runs under a machine's name on platform local. */
export async function runStopAgentsHook(
  { file: { spec, deployed }, machines, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  await machines?.stop(host, signal);
  say(`${host}: nothing runs on it any more`);
  if (spec.protection === "on" || !machines) return;
  // A host whose block has been dropped is destroyed without a hook; `ready` sees to it where it runs.
  const known = standingNames({ spec, deployed });
  for (const { name } of machines.list().filter((machine) => !known.has(machine.name)))
    await machines.stop(name, signal);
}

/** All hosts that are to stand: of a group that is no larger than it is to be, or surges, those too that are there. */
export function standingNames({ spec, deployed }: Pick<HookFile, "spec" | "deployed">): Set<string> {
  return new Set(
    groupsOf(spec).flatMap((group) => {
      const there = deployed.find(({ name }) => name === group.name)?.hosts ?? [];
      return [...hostNames(group), ...(group.surges || there.length <= group.hosts ? there : [])];
    }),
  );
}
