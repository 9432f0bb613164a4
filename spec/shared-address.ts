import { poolsOf } from "./groups.js";
import type { Spec } from "./schema.js";

/** The rules of the security group that all machines share, by Terraform name. */
const CLUSTER_RULES = {
  aws_vpc_security_group_ingress_rule: [
    "cluster-consul-rpc",
    "cluster-consul-serf-tcp",
    "cluster-consul-serf-udp",
    "cluster-nomad-http-rpc",
    "cluster-nomad-serf-tcp",
    "cluster-nomad-serf-udp",
  ],
  aws_vpc_security_group_egress_rule: ["cluster-out"],
} as const;

/** Whether an address is that of a shared part which this program declares: the network's rules, a pool's load balancer. */
export function isSharedAddress(address: string, spec: Spec): boolean {
  const [type = "", name = "", ...rest] = address.split(".");
  if (rest.length > 0) return false;
  const balanced = poolsOf(spec).flatMap(({ name: pool, loadBalancer }) => (loadBalancer ? [pool] : []));
  if (spec.platform === "local")
    return type === "terraform_data" && balanced.some((pool) => name === `${pool}-load-balancer`);
  switch (type) {
    case "aws_security_group":
      return name === "cluster" || balanced.some((pool) => name === `${pool}-load-balancer`);
    case "aws_lb":
    case "aws_lb_target_group":
    case "aws_lb_listener":
      return balanced.includes(name);
    case "aws_vpc_security_group_ingress_rule":
      return (
        CLUSTER_RULES[type].some((rule) => rule === name) ||
        balanced.some(
          (pool) => name === `${pool}-from-load-balancer` || name.startsWith(`${pool}-load-balancer-in-`),
        )
      );
    case "aws_vpc_security_group_egress_rule":
      return (
        CLUSTER_RULES[type].some((rule) => rule === name) ||
        balanced.some((pool) => name === `${pool}-load-balancer-out`)
      );
    default:
      return false;
  }
}

/** Whether a construct path, without its view, is one of the user's own resources or lies below one. */
export function isOwnPath(path: string, spec: Spec): boolean {
  return spec.rollout.ownResources.some((own) => path === own || path.startsWith(`${own}/`));
}
