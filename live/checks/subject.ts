import type { Action, Values } from "../../cluster/gate-settings.js";
import { isUnknown, type Observation } from "../../rollout/observation/observation.js";

/** A machine whose address is known. */
export interface Machine {
  /** `broker-0-1` */
  readonly host: string;
  readonly address: string;
}

/** What an action is asked about: a machine, a group, or a pool. */
export interface Subject extends Values {
  /** Of a machine, a group or a pool. */
  readonly name: string;
}

/**
 * What an action of a group's pool is to be asked about.
 * @param group its name and machines
 * @param pool its name and all of its machines, those of the group among them
 */
export function subjectsOf(
  { scope }: Pick<Action, "scope">,
  group: { readonly name: string; readonly machines: readonly Machine[] },
  pool: { readonly name: string; readonly machines: readonly Machine[] },
): Subject[] {
  if (scope === "machine")
    return group.machines.map((machine) => ({ ...machine, name: machine.host, group: group.name }));
  const { name, machines } = scope === "group" ? group : pool;
  const hosts = machines.map(({ host }) => host).join(",");
  const addresses = machines.map(({ address }) => address).join(",");
  return [{ name, group: group.name, hosts, addresses }];
}

/** Those of some machines whose addresses are known. */
export function machinesOf({ consul: { catalog } }: Observation, hosts: readonly string[]): Machine[] {
  if (isUnknown(catalog)) return [];
  return hosts.flatMap((host) => {
    const address = catalog.find(({ name }) => name === host)?.address;
    return address === undefined ? [] : [{ host, address }];
  });
}
