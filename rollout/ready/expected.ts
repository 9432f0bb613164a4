import type { Check } from "../../cluster/gate-settings.js";
import type { Role } from "../../cluster/groups.js";

/** A group that is deployed. */
export interface ClusterGroup {
  readonly name: string;
  readonly pool: string;
  readonly role: Role;
  readonly hosts: readonly string[];
}

/** What a new group has to be. */
export interface Expected {
  readonly cluster: string;
  readonly group: string;
  readonly pool: string;
  readonly role: Role;
  /** How many servers of its role there are to be in all. */
  readonly servers: number;
  readonly image: string;
  readonly hash: string;
  /** The names of its hosts. */
  readonly hosts: readonly string[];
  /** Hosts of the group that wait for a later batch: nothing is asked of them. Default: none. */
  readonly laterHosts?: readonly string[];
  /** The other groups that stand. Default: none does. */
  readonly others?: readonly ClusterGroup[];
  readonly workload: "moves" | "stays";
  readonly hasLoadBalancer: boolean;
  /** Whether EC2 can be asked for the machines: false on `platform: local`. */
  readonly hasMachines: boolean;
  readonly isNew?: boolean;
  readonly checks: readonly Pick<Check, "name" | "scope">[];
}
