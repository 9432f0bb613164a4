import type { Group, Pool } from "../cluster/groups.js";

/**
 * What is rolled where nobody says otherwise: a group of clients, of the pool with the most machines among those whose work
 * moves if there are such, and a Consul server.
 */
export function defaultGroups(pools: readonly Pool[]): Group[] {
  const clients = pools.filter(({ role }) => role === "client");
  const moving = clients.filter(({ workload }) => workload === "moves");
  const candidates = moving.length > 0 ? moving : clients;
  const largest = [...candidates].sort((one, other) => hostsOf(other) - hostsOf(one))[0];
  const servers = pools.find(({ role }) => role === "consul-server");
  return [largest, servers].flatMap((pool) => pool?.groups[0] ?? []);
}

/** Two groups of different pools, to show that a change of both is refused. */
export function refusedPair(pools: readonly Pool[]): Group[] {
  return [pools.at(-1)?.groups[1], pools[0]?.groups[2]].flatMap((group) => group ?? []);
}

const hostsOf = ({ groups }: Pool): number => groups.reduce((sum, { hosts }) => sum + hosts, 0);
