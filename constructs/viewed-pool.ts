import { UserError } from "../cluster/user-error.js";
import { poolsOf } from "../cluster/groups.js";
import { targetGroupAddress } from "../cluster/pending.js";
import { machinesFirewall } from "../cluster/shared-address.js";
import { mapThree } from "../cluster/three.js";
import type { ViewedPool } from "../cluster/viewed-pool.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { idOf } from "./named.js";

/** @throws UserError where a cluster has no such pool */
export function viewedPool(spec: Spec, name: string): ViewedPool {
  const pools = poolsOf(spec);
  const pool = pools.find((each) => each.name === name);
  if (!pool)
    throw new UserError(
      `${spec.name} has no pool ${name}; it has ${pools.map((each) => each.name).join(", ")}`,
      2,
    );
  const firewall = machinesFirewall(spec);
  const onAws = (what: string, isThere: boolean, reference: string): string => {
    if (firewall && isThere) return reference;
    throw new UserError(
      `${name} has no ${what}: ${firewall ? "it is declared without a load balancer" : "the platform is local"}`,
      2,
    );
  };
  const isBalanced = pool.loadBalancer !== undefined;
  return {
    name,
    groupNames: mapThree(pool.groups, (group) => group.name),
    get securityGroupId() {
      return onAws("security group", true, idOf(firewall ?? ""));
    },
    get loadBalancerArn() {
      return onAws("load balancer", isBalanced, `\${aws_lb.${name}.arn}`);
    },
    get targetGroupArn() {
      return onAws("target group", isBalanced, `\${${targetGroupAddress(spec.platform, name)}.arn}`);
    },
  };
}
