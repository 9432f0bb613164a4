import { Construct } from "constructs";
import type { Three } from "../cluster/three.js";
import { HostGroup, type HostGroupProps } from "./host-group.js";
import type { Platform } from "./platform.js";

export interface ServerPoolProps {
  readonly name: string;
  /** The groups 0, 1 and 2; undefined for one that this view has nothing to render of. */
  readonly groups: Three<HostGroupProps | undefined>;
}

/**
 * Consul servers or Nomad servers: three groups of one host, so that losing a group leaves two of three.
 * @throws Error when a group has more than one host
 */
export class ServerPool extends Construct {
  constructor(scope: Construct, platform: Platform, { name, groups }: ServerPoolProps) {
    super(scope, name);
    for (const group of groups) {
      if (!group) continue;
      if (group.hosts.length > 1)
        throw new Error(
          `a server pool has one host a group: ${group.name} has ${String(group.hosts.length)}`,
        );
      new HostGroup(this, platform, group);
    }
  }
}
