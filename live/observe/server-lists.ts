import { serversIn } from "../../clients/ssh/consul-servers-file.js";
import type { Observation } from "../../rollout/observation/observation.js";
import { listObjection } from "../../rollout/server-lists.js";
import type { MachineAgents } from "../machine-agents.js";
import { ask } from "./ask.js";
import { inParallel } from "./in-parallel.js";

/** Each is a connection by ssh. */
export const AT_ONCE = 16;

/**
 * An observation with some machines' own lists of Consul servers.
 * @param before those of the last look: what was right then is not read again, however often a gate looks
 */
export async function withLists(
  agents: Pick<MachineAgents, "serversFile">,
  observation: Observation,
  hosts: readonly string[],
  signal: AbortSignal,
  before: Observation["lists"] = [],
): Promise<Observation & Required<Pick<Observation, "lists">>> {
  const lists = await inParallel(hosts, AT_ONCE, async (host) => {
    const known = before.find((list) => list.host === host);
    if (known && !listObjection(known, observation)) return known;
    // One of its own, or Node warns of a signal that so many listen to.
    const own = AbortSignal.any([signal]);
    const read = async () => serversIn((await (await agents.serversFile(host, own)).read()).content);
    return { host, servers: await ask(read) };
  });
  return { ...observation, lists };
}
