import { parseAddress } from "./address.js";
import { poolsOf } from "./groups.js";
import type { Spec } from "./yaml/schema.js";

/**
 * Ports that machines of the cluster open to each other, each a rule of the security group that all share.
 * @see https://developer.hashicorp.com/consul/docs/reference/architecture/ports
 * @see https://developer.hashicorp.com/nomad/docs/install/production/requirements#ports-used
 */
export const CLUSTER_PORTS = [
  { name: "consul-rpc", ipProtocol: "tcp", fromPort: 8300, toPort: 8300 },
  { name: "consul-serf-tcp", ipProtocol: "tcp", fromPort: 8301, toPort: 8301 },
  { name: "consul-serf-udp", ipProtocol: "udp", fromPort: 8301, toPort: 8301 },
  { name: "nomad-http-rpc", ipProtocol: "tcp", fromPort: 4646, toPort: 4647 },
  { name: "nomad-serf-tcp", ipProtocol: "tcp", fromPort: 4648, toPort: 4648 },
  { name: "nomad-serf-udp", ipProtocol: "udp", fromPort: 4648, toPort: 4648 },
] as const;

/** The Terraform name of the rule of such a port. */
export const clusterPortRule = (port: string): string => `cluster-${port}`;

/** The Terraform name of the rule that lets machines out. */
export const CLUSTER_OUT_RULE = "cluster-out";

/** Whether an address is that of a shared part which this program declares: the network's rules, a pool's load balancer. */
export function isSharedAddress(address: string, spec: Spec): boolean {
  return (
    (spec.platform === "aws" && NETWORK.has(address)) ||
    poolsOf(spec).some(({ name, loadBalancer }) => loadBalancer && isBalancerAddress(address, name, spec))
  );
}

/** What all machines share and name; undefined on a platform without it. */
export const machinesFirewall = ({ platform }: Spec): string | undefined =>
  platform === "aws" ? "aws_security_group.cluster" : undefined;

/** Where the zone of a group's data volumes is read; undefined on a platform without zones. */
export const subnetData = (group: number, { platform }: Spec): string | undefined =>
  platform === "aws" ? `data.aws_subnet.subnet-${String(group)}` : undefined;

/**
 * Whether a setting of a provider says only who calls, how often, and with which tags: what a team adds by an override. What
 * leads to other machines, such as a region or an endpoint, is none of these.
 */
export const isCallersOwn = (key: string): boolean =>
  /^(assume_role(_with_web_identity)?|profile|shared_(config|credentials)_files|(allowed|forbidden)_account_ids|(default|ignore)_tags|max_retries|retry_mode)$/.test(
    key,
  );

/** The providers that are rendered, by name, and all else that each is told. */
export const providerSettings = (spec: Spec): Readonly<Record<string, object>> =>
  spec.platform === "aws" ? { aws: { region: spec.aws.region }, null: {} } : {};

/** Whether an address is that of a data source which this program declares: a subnet's zone, the network of a load balancer. */
function isRenderedData(address: string, spec: Spec): boolean {
  if (spec.platform !== "aws") return false;
  return (
    [0, 1, 2].some((group) => address === subnetData(group, spec)) ||
    poolsOf(spec).some(({ name, loadBalancer }) => loadBalancer && address === `data.aws_vpc.${name}`)
  );
}

/** Whether an address belongs to no group and is not what this program renders, so that it is the user's own. */
export const isOwnAddress = (address: string, spec: Spec): boolean =>
  parseAddress(address) === undefined && !isSharedAddress(address, spec) && !isRenderedData(address, spec);

const NETWORK: ReadonlySet<string> = new Set([
  "aws_security_group.cluster",
  `aws_vpc_security_group_egress_rule.${CLUSTER_OUT_RULE}`,
  ...CLUSTER_PORTS.map(({ name }) => `aws_vpc_security_group_ingress_rule.${clusterPortRule(name)}`),
]);

/** Whether an address is that of a part of a pool's load balancer. */
export function isBalancerAddress(address: string, pool: string, { platform }: Spec): boolean {
  const [type = "", name = "", ...rest] = address.split(".");
  if (rest.length > 0) return false;
  if (platform === "local") return type === "terraform_data" && name === `${pool}-load-balancer`;
  switch (type) {
    case "aws_security_group":
      return name === `${pool}-load-balancer`;
    case "aws_lb":
    case "aws_lb_target_group":
    case "aws_lb_listener":
      return name === pool;
    case "aws_vpc_security_group_ingress_rule":
      return name === `${pool}-from-load-balancer` || name.startsWith(`${pool}-load-balancer-in-`);
    case "aws_vpc_security_group_egress_rule":
      return name === `${pool}-load-balancer-out`;
    default:
      return false;
  }
}

/** Whether a construct path, without its view, is one of the user's own resources or lies below one. */
export function isOwnPath(path: string, spec: Spec): boolean {
  return spec.rollout.ownResources.some((own) => path === own || path.startsWith(`${own}/`));
}
