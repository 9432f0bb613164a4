import type { Three } from "./three.js";

/** What a pool hands out to resources of the user's own. Arns and ids are references, which Terraform fills in. */
export interface ViewedPool {
  readonly name: string;
  /** `broker-0`, `broker-1`, `broker-2` */
  readonly groupNames: Three<string>;
  /** Of all machines of the cluster. @throws UserError where machines have none */
  readonly securityGroupId: string;
  /** @throws UserError where the pool has none */
  readonly loadBalancerArn: string;
  /** @throws UserError where the pool has no load balancer */
  readonly targetGroupArn: string;
}
