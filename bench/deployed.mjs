import { groupAddress, hostAddress, hostName } from "../dist/cluster/address.js";
import { groupsOf } from "../dist/cluster/groups.js";

const SHARED = [
  "aws_security_group.cluster",
  "aws_vpc_security_group_egress_rule.cluster-out",
  ...["rpc", "serf-tcp", "serf-udp"].map(
    (port) => `aws_vpc_security_group_ingress_rule.cluster-consul-${port}`,
  ),
  ...["http-rpc", "serf-tcp", "serf-udp"].map(
    (port) => `aws_vpc_security_group_ingress_rule.cluster-nomad-${port}`,
  ),
  "aws_security_group.broker-load-balancer",
  "aws_vpc_security_group_ingress_rule.broker-load-balancer-in-vpc",
  "aws_vpc_security_group_egress_rule.broker-load-balancer-out",
  "aws_vpc_security_group_ingress_rule.broker-from-load-balancer",
  "aws_lb.broker",
  "aws_lb_target_group.broker",
  "aws_lb_listener.broker",
];

const idOf = (host) => `i-${host}`;

/** What a state would say of a spec that was rolled out completely. */
export function deployedOf(spec) {
  const groups = groupsOf(spec);
  const servers = groups
    .filter(({ role }) => role === "consul-server")
    .map(({ name }) => idOf(hostName(name, 0)))
    .join(",");
  const addresses = new Set(SHARED);
  for (const group of groups) {
    for (const kind of ["leave", "ready", "revision"]) addresses.add(groupAddress("aws", group.name, kind));
    const kinds = ["host", "config-consul"];
    if (group.dataVolume) kinds.push("data", "data-attachment");
    if (group.pool === "broker") kinds.push("lb-drained", "target");
    for (let host = 0; host < group.hosts; host++) {
      for (const kind of kinds) addresses.add(hostAddress("aws", group.name, host, kind));
    }
  }
  return {
    origin: { kind: "state", where: "terraform.demo.tfstate", serial: 1, lineage: "bench" },
    cluster: spec.name,
    groups: new Map(groups.map((group) => [group.name, groupOf(group, spec, servers)])),
    addresses,
  };
}

function groupOf(group, spec, servers) {
  const { name, pool, index, role, image, instanceType, hash, generation, dataVolume } = group;
  const numbers = Array.from({ length: group.hosts }, (_, number) => number);
  const hosts = numbers.map((number) => {
    const host = hostName(name, number);
    const id = idOf(host);
    const configConsul = { host: id, servers };
    return {
      number,
      name: host,
      id,
      image,
      instanceType,
      hash,
      subnetId: spec.aws.subnetIds[index],
      configConsul,
    };
  });
  return {
    name,
    pool,
    index,
    role,
    hosts,
    volumes: dataVolume
      ? numbers.map((host) => ({ host, ...dataVolume, zone: `eu-west-1${"abc"[index]}` }))
      : [],
    revisions: [{ number: 1, image, hash, generation, cause: "bench" }],
    ready: { hosts: hosts.map(({ id }) => id).join(","), hash, gate: "open" },
    leave: true,
    tainted: [],
    deposed: [],
  };
}
