import { groupsOf, hostNames } from "../../cluster/groups.js";
import type { HookArgs, HookContext } from "../../hooks/hook-context.js";

/** Ends whatever runs under a machine's name on platform local. */
export async function runStopAgentsHook(
  { file: { spec }, machines, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  await machines?.stop(host, signal);
  say(`${host}: nothing runs on it any more`);
  if (spec.protection === "on" || !machines) return;
  // A host whose block has been dropped is destroyed without a hook; `ready` sees to it where it runs.
  const known = new Set(groupsOf(spec).flatMap(hostNames));
  for (const { name } of machines.list().filter((machine) => !known.has(machine.name)))
    await machines.stop(name, signal);
}
