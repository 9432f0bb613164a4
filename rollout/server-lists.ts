import { parseHostName } from "../cluster/address.js";
import { roleOf, type Group } from "../cluster/groups.js";
import { isUnknown, type Observation, type ServerList } from "./observation/observation.js";
import { everyHost, type Condition, type Objection } from "./ready/condition.js";

type Listed = Pick<Group, "name" | "role"> & { readonly hosts: readonly string[] };

const aliveIn = ({ consul: { members } }: Observation) =>
  isUnknown(members) ? [] : members.filter(({ status }) => status === "alive");

/** The addresses of the Consul servers that there are. */
export const consulServersIn = (observation: Observation): string[] =>
  aliveIn(observation)
    .filter(({ name }) => roleOf(parseHostName(name)?.pool ?? "") === "consul-server")
    .map(({ address }) => address)
    .sort();

/**
 * Whose own lists are compared: those of a group's machines, and of the whole cluster's where the group is Consul's. One
 * that Consul does not call alive is left out: stopped or gone, it would hold a gate for ever.
 */
export function listedHosts(
  observation: Observation,
  cluster: readonly Listed[],
  { name, role }: Pick<Listed, "name" | "role">,
): string[] {
  const alive = new Set(aliveIn(observation).map((member) => member.name));
  const groups = cluster.filter((each) => role === "consul-server" || each.name === name);
  return groups.flatMap(({ hosts }) => hosts.filter((host) => alive.has(host)));
}

/**
 * What is wrong with a machine's own list, in whatever order. While a server is missing it may name more: whoever replaces
 * that one writes all lists anew.
 */
export function listObjection({ servers }: ServerList, observation: Observation): Objection {
  if (isUnknown(servers)) return { unknown: `its own list of Consul servers: ${servers.unknown}` };
  const wanted = consulServersIn(observation);
  if (wanted.length === 0) return { unknown: "no Consul server is known that its own list could name" };
  const hasAll = wanted.every((address) => servers.includes(address));
  const isMissing = wanted.length < (observation.consulServers ?? 3);
  if (hasAll && (servers.length === wanted.length || isMissing)) return undefined;
  const has = servers.join(", ") || "nobody";
  return { unmet: `its own list of Consul servers names ${has}, and there are ${wanted.join(", ")}` };
}

/** Each machine finds the Consul servers again when its agent is restarted. */
export function listConditions(observation: Observation, group: string): Condition[] {
  const { lists = [] } = observation;
  if (lists.length === 0) return [];
  const objections = new Map(lists.map((list) => [list.host, listObjection(list, observation)]));
  const proven = "names the Consul servers that there are in its own list";
  const condition = everyHost("server-lists", [...objections.keys()], proven, (host) => objections.get(host));
  const remedy =
    condition.status === "unmet" ? `; what is wrong is configured by: rollout deploy ${group}` : "";
  return [{ ...condition, reason: `${condition.reason}${remedy}` }];
}
