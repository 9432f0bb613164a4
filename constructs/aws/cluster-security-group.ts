import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group/index.js";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js";
import { Construct } from "constructs";
import { CLUSTER_OUT_RULE, CLUSTER_PORTS, clusterPortRule } from "../../cluster/shared-address.js";
import { lifecycleOf } from "../lifecycle.js";
import { idOf, named } from "../named.js";
import type { SharedDeclaration } from "../platform.js";

export interface ClusterSecurityGroupProps extends SharedDeclaration {
  readonly cluster: string;
  readonly vpcId: string;
}

/** One security group for all machines: what Consul and Nomad need among themselves, out to anywhere, in from nowhere else. */
export class ClusterSecurityGroup extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { cluster, vpcId, protection, includes }: ClusterSecurityGroupProps,
  ) {
    super(scope, id);
    const meta = lifecycleOf({ protection });
    const tags = { "rollout:cluster": cluster };
    const group = "aws_security_group.cluster";
    if (includes(group)) {
      const made = new SecurityGroup(this, "cluster", {
        ...meta,
        name: `${cluster}-cluster`,
        description: `Consul and Nomad of ${cluster} among themselves`,
        vpcId,
        tags: { Name: `${cluster}-cluster`, ...tags },
      });
      named(made, "cluster");
    }
    for (const { name, ...port } of CLUSTER_PORTS) {
      const id = clusterPortRule(name);
      if (!includes(`aws_vpc_security_group_ingress_rule.${id}`)) continue;
      const rule = {
        ...meta,
        ...port,
        securityGroupId: idOf(group),
        referencedSecurityGroupId: idOf(group),
        description: name,
        tags,
      };
      named(new VpcSecurityGroupIngressRule(this, id, rule), id);
    }
    if (includes(`aws_vpc_security_group_egress_rule.${CLUSTER_OUT_RULE}`)) {
      const rule = {
        ...meta,
        ipProtocol: "-1",
        cidrIpv4: "0.0.0.0/0",
        securityGroupId: idOf(group),
        description: "out to anywhere",
        tags,
      };
      named(new VpcSecurityGroupEgressRule(this, CLUSTER_OUT_RULE, rule), CLUSTER_OUT_RULE);
    }
  }
}
