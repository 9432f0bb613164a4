import { expect, test } from "@jest/globals";
import { readDeclared } from "../../guard/declared.js";
import { exampleSpec, nothing, synthesize } from "../support/fixtures.js";

/**
 * The addresses of the example on aws. They are a contract with every state that exists: a resource whose address changes
 * is destroyed and created anew. Do not change one; a new one is added.
 */
const ADDRESSES = `
  aws_lb.broker
  aws_lb_listener.broker
  aws_lb_target_group.broker
  aws_security_group.broker-load-balancer
  aws_security_group.cluster
  aws_vpc_security_group_egress_rule.broker-load-balancer-out
  aws_vpc_security_group_egress_rule.cluster-out
  aws_vpc_security_group_ingress_rule.broker-from-load-balancer
  aws_vpc_security_group_ingress_rule.broker-load-balancer-in-vpc
  aws_vpc_security_group_ingress_rule.cluster-consul-rpc
  aws_vpc_security_group_ingress_rule.cluster-consul-serf-tcp
  aws_vpc_security_group_ingress_rule.cluster-consul-serf-udp
  aws_vpc_security_group_ingress_rule.cluster-nomad-http-rpc
  aws_vpc_security_group_ingress_rule.cluster-nomad-serf-tcp
  aws_vpc_security_group_ingress_rule.cluster-nomad-serf-udp

  aws_instance.consul-server-0-0
  null_resource.consul-server-0-0-config-consul
  null_resource.consul-server-0-leave
  null_resource.consul-server-0-ready
  terraform_data.consul-server-0-revision

  aws_instance.consul-server-1-0
  null_resource.consul-server-1-0-config-consul
  null_resource.consul-server-1-leave
  null_resource.consul-server-1-ready
  terraform_data.consul-server-1-revision

  aws_instance.consul-server-2-0
  null_resource.consul-server-2-0-config-consul
  null_resource.consul-server-2-leave
  null_resource.consul-server-2-ready
  terraform_data.consul-server-2-revision

  aws_instance.nomad-server-0-0
  null_resource.nomad-server-0-0-config-consul
  null_resource.nomad-server-0-leave
  null_resource.nomad-server-0-ready
  terraform_data.nomad-server-0-revision

  aws_instance.nomad-server-1-0
  null_resource.nomad-server-1-0-config-consul
  null_resource.nomad-server-1-leave
  null_resource.nomad-server-1-ready
  terraform_data.nomad-server-1-revision

  aws_instance.nomad-server-2-0
  null_resource.nomad-server-2-0-config-consul
  null_resource.nomad-server-2-leave
  null_resource.nomad-server-2-ready
  terraform_data.nomad-server-2-revision

  aws_instance.name-server-0-0
  null_resource.name-server-0-0-config-consul
  null_resource.name-server-0-leave
  null_resource.name-server-0-ready
  terraform_data.name-server-0-revision

  aws_instance.name-server-1-0
  null_resource.name-server-1-0-config-consul
  null_resource.name-server-1-leave
  null_resource.name-server-1-ready
  terraform_data.name-server-1-revision

  aws_instance.name-server-2-0
  null_resource.name-server-2-0-config-consul
  null_resource.name-server-2-leave
  null_resource.name-server-2-ready
  terraform_data.name-server-2-revision

  aws_instance.broker-0-0
  aws_ebs_volume.broker-0-0-data
  aws_volume_attachment.broker-0-0-data-attachment
  null_resource.broker-0-0-config-consul
  aws_lb_target_group_attachment.broker-0-0-target
  aws_instance.broker-0-1
  aws_ebs_volume.broker-0-1-data
  aws_volume_attachment.broker-0-1-data-attachment
  null_resource.broker-0-1-config-consul
  aws_lb_target_group_attachment.broker-0-1-target
  aws_instance.broker-0-2
  aws_ebs_volume.broker-0-2-data
  aws_volume_attachment.broker-0-2-data-attachment
  null_resource.broker-0-2-config-consul
  aws_lb_target_group_attachment.broker-0-2-target
  null_resource.broker-0-leave
  null_resource.broker-0-ready
  terraform_data.broker-0-revision

  aws_instance.broker-1-0
  aws_ebs_volume.broker-1-0-data
  aws_volume_attachment.broker-1-0-data-attachment
  null_resource.broker-1-0-config-consul
  aws_lb_target_group_attachment.broker-1-0-target
  aws_instance.broker-1-1
  aws_ebs_volume.broker-1-1-data
  aws_volume_attachment.broker-1-1-data-attachment
  null_resource.broker-1-1-config-consul
  aws_lb_target_group_attachment.broker-1-1-target
  aws_instance.broker-1-2
  aws_ebs_volume.broker-1-2-data
  aws_volume_attachment.broker-1-2-data-attachment
  null_resource.broker-1-2-config-consul
  aws_lb_target_group_attachment.broker-1-2-target
  null_resource.broker-1-leave
  null_resource.broker-1-ready
  terraform_data.broker-1-revision

  aws_instance.broker-2-0
  aws_ebs_volume.broker-2-0-data
  aws_volume_attachment.broker-2-0-data-attachment
  null_resource.broker-2-0-config-consul
  aws_lb_target_group_attachment.broker-2-0-target
  aws_instance.broker-2-1
  aws_ebs_volume.broker-2-1-data
  aws_volume_attachment.broker-2-1-data-attachment
  null_resource.broker-2-1-config-consul
  aws_lb_target_group_attachment.broker-2-1-target
  aws_instance.broker-2-2
  aws_ebs_volume.broker-2-2-data
  aws_volume_attachment.broker-2-2-data-attachment
  null_resource.broker-2-2-config-consul
  aws_lb_target_group_attachment.broker-2-2-target
  null_resource.broker-2-leave
  null_resource.broker-2-ready
  terraform_data.broker-2-revision
`;

const spec = exampleSpec();
const cluster: unknown = JSON.parse(synthesize(spec, nothing(), ["cluster"]).get("cluster") ?? "");
const declared = readDeclared(cluster);

test("the example has exactly these addresses on aws", () => {
  const pinned = ADDRESSES.trim().split(/\s+/);
  expect(declared.map(({ address }) => address).sort()).toEqual(pinned.sort());
});

test("a member belongs to the group of its construct path, which is the group of its address", () => {
  const members = declared.filter(({ member }) => member !== undefined);
  expect(members).toHaveLength(99);
  expect(members.map(({ address, group }) => [address, group])).toEqual(
    members.map(({ address, member }) => [address, member?.group]),
  );
});

test("shared parts belong to no group, by path nor by address", () => {
  const shared = declared.filter(({ group }) => group === undefined);
  expect(shared).toHaveLength(15);
  expect(shared.filter(({ member }) => member !== undefined)).toEqual([]);
});
