import { Construct } from "constructs";
import type { LoadBalancer } from "../cluster/yaml/schema.js";
import type { Three } from "../cluster/three.js";
import { HostGroup, type HostGroupProps } from "./host-group.js";
import type { Platform, SharedDeclaration } from "./platform.js";

export interface ClientPoolProps {
  readonly name: string;
  /** The groups 0, 1 and 2; undefined for one that this view has nothing to render of. */
  readonly groups: Three<HostGroupProps | undefined>;
  /** One for the whole pool, with how this view protects it. */
  readonly loadBalancer?: SharedDeclaration & { readonly settings: LoadBalancer };
}

/** Nomad clients of one kind: three groups of any number of hosts, and a load balancer before them if wanted. */
export class ClientPool extends Construct {
  constructor(scope: Construct, platform: Platform, { name, groups, loadBalancer }: ClientPoolProps) {
    super(scope, name);
    if (loadBalancer) platform.loadBalancer(this, { ...loadBalancer, pool: name });
    for (const group of groups) {
      if (group) new HostGroup(this, platform, group);
    }
  }
}
