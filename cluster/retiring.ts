import { parseAddress } from "./address.js";
import type { Deployed, DeployedGroup } from "./deployed.js";
import { poolsOf, type Pool } from "./groups.js";
import type { Spec } from "./yaml/schema.js";
import { isBalancerAddress } from "./shared-address.js";

/** The pools that retire and have no machine any more. What is left of them goes by the cluster view. */
export function emptiedPools(spec: Spec, { groups }: Deployed): Pool[] {
  const withMachines = new Set(
    [...groups.values()].filter((group) => !isEmpty(group)).map(({ pool }) => pool),
  );
  return poolsOf(spec).filter(({ name, retire }) => retire !== undefined && !withMachines.has(name));
}

/** A `ready` that was passed for hosts which the state does not hold says that they were taken out of it by hand. */
const isEmpty = ({ hosts, ready, deposed }: DeployedGroup): boolean =>
  hosts.length === 0 && deposed.length === 0 && (ready?.hosts ?? "") === "";

/** What the state still holds of a pool that has no machine any more. */
export interface Leftovers {
  readonly pool: string;
  /** Whether its data volumes are let go of, and stay, or are deleted. */
  readonly retire: NonNullable<Pool["retire"]>;
  /** The addresses of its data volumes, sorted. */
  readonly volumes: readonly string[];
  /** All of it: volumes, records of its groups, load balancer. Never empty. */
  readonly addresses: ReadonlySet<string>;
}

/** What goes by the cluster view of pools that retire. */
export function leftoversOf(spec: Spec, deployed: Deployed): Leftovers[] {
  return emptiedPools(spec, deployed).flatMap(({ name, retire }) => {
    const addresses = [...deployed.addresses].filter(
      (address) => parseAddress(address)?.pool === name || isBalancerAddress(address, name, spec),
    );
    if (retire === undefined || addresses.length === 0) return [];
    const volumes = addresses.filter((address) => parseAddress(address)?.kind === "data").sort();
    return [{ pool: name, retire, volumes, addresses: new Set(addresses) }];
  });
}

/** Terraform's `removed` blocks for the data volumes that are let go of: they leave the state and stay where they are. */
export function forgetBlocks(leftovers: readonly Leftovers[]): object[] {
  return leftovers
    .filter(({ retire }) => retire === "keep-volumes")
    .flatMap(({ volumes }) => volumes.map((from) => ({ from, lifecycle: [{ destroy: false }] })));
}
