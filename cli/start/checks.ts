import { isDeepStrictEqual } from "node:util";
import { parseAddress, type MemberKind } from "../../spec/address.js";
import type { Deployed, DeployedHost } from "../../spec/deployed.js";
import type { ApplyEvent } from "./deploy.js";

/** All hosts that are deployed. */
export const hostsOf = ({ groups }: Deployed): DeployedHost[] =>
  [...groups.values()].flatMap(({ hosts }) => hosts);

/** The ids of all hosts, by name. */
export const machineIds = (deployed: Deployed): ReadonlyMap<string, string> =>
  new Map(hostsOf(deployed).map(({ name, id = "" }) => [name, id]));

/** The names of machines whose id is another than before, or that came or went, sorted. */
export function replacedMachines(before: Deployed, after: Deployed): string[] {
  const [old, now] = [machineIds(before), machineIds(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => old.get(name) !== now.get(name)).sort();
}

/** How many members of a kind an apply did something with. */
export const count = (
  events: readonly ApplyEvent[],
  kind: MemberKind,
  wanted: ApplyEvent["action"],
): number =>
  events.filter(({ address, action }) => action === wanted && parseAddress(address)?.kind === kind).length;

/** What differs from what should be, as text; empty when nothing does. */
export function difference(what: string, found: unknown, expected: unknown): string[] {
  if (isDeepStrictEqual(found, expected)) return [];
  return [`${what}: got ${JSON.stringify(found)}; expected ${JSON.stringify(expected)}`];
}
