import { Construct } from "constructs";
import type { Three } from "../cluster/three.js";
import { HostGroup } from "./host-group.js";
import type { HostGroupProps } from "./host-group-props.js";
import type { Platform, LoadBalancerDeclaration } from "./platform.js";

export interface HostPoolProps {
  readonly name: string;
  /** The groups 0, 1 and 2; undefined for one that this view has nothing to render of. */
  readonly groups: Three<HostGroupProps | undefined>;
  /** One for the whole pool, with how this view protects it. */
  readonly loadBalancer?: Omit<LoadBalancerDeclaration, "pool">;
}

/** Machines of one kind: three groups, and a load balancer before them if wanted. */
export class HostPool extends Construct {
  constructor(scope: Construct, platform: Platform, { name, groups, loadBalancer }: HostPoolProps) {
    super(scope, name);
    if (loadBalancer) platform.loadBalancer(this, { ...loadBalancer, pool: name });
    for (const group of groups) {
      if (group) new HostGroup(this, platform, group);
    }
  }
}
