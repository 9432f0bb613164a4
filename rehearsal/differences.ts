import { isDeepStrictEqual } from "node:util";
import type { Deployed } from "../cluster/deployed.js";

/** The ids of all hosts, by name. */
export const machineIds = ({ groups }: Deployed): ReadonlyMap<string, string> =>
  new Map([...groups.values()].flatMap(({ hosts }) => hosts.map(({ name, id = "" }) => [name, id] as const)));

/** The names of machines whose id is another than before, or that came or went, sorted. */
export function replacedMachines(before: Deployed, after: Deployed): string[] {
  const [old, now] = [machineIds(before), machineIds(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => old.get(name) !== now.get(name)).sort();
}

/** How many machines have been told of the Consul servers that there are. */
export function knowingServers(deployed: Deployed): number {
  const ids = [...deployed.groups.values()]
    .filter(({ role }) => role === "consul-server")
    .flatMap(({ hosts }) => hosts.map(({ id = "none" }) => id));
  return [...deployed.groups.values()]
    .flatMap(({ hosts }) => hosts)
    .filter(({ configConsul }) => configConsul && ids.every((id) => configConsul.servers.includes(id)))
    .length;
}

/** What differs from what should be, as text; empty when nothing does. */
export function difference(what: string, found: unknown, expected: unknown): string[] {
  if (isDeepStrictEqual(found, expected)) return [];
  return [`${what}: got ${JSON.stringify(found)}; expected ${JSON.stringify(expected)}`];
}
