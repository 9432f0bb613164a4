import { DataAwsVpc } from "@cdktf/provider-aws/lib/data-aws-vpc/index.js";
import { LbListener } from "@cdktf/provider-aws/lib/lb-listener/index.js";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group/index.js";
import { Lb } from "@cdktf/provider-aws/lib/lb/index.js";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group/index.js";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js";
import type { TerraformResource } from "cdktf";
import { Construct } from "constructs";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import { lifecycleOf } from "../lifecycle.js";
import { idOf, named } from "../named.js";
import type { LoadBalancerDeclaration } from "../platform.js";

interface NetworkLoadBalancerProps extends LoadBalancerDeclaration, Pick<AwsSettings, "vpcId" | "subnetIds"> {
  readonly cluster: string;
}

/**
 * A network load balancer for one pool, in all three subnets and across zones, so that the two groups that stay serve the
 * zone of the one that is out. Who may connect is decided at its own security group.
 */
export class NetworkLoadBalancer extends Construct {
  constructor(scope: Construct, id: string, props: NetworkLoadBalancerProps) {
    super(scope, id);
    const { cluster, pool, settings, vpcId, subnetIds, protection, includes } = props;
    const meta = lifecycleOf({ protection });
    const tags = { "rollout:cluster": cluster, "rollout:pool": pool };
    const door = `${pool}-load-balancer`;
    const doorId = idOf(`aws_security_group.${door}`);
    const protocol = settings.protocol.toUpperCase();
    const port = { ipProtocol: settings.protocol, fromPort: settings.port, toPort: settings.port };

    const declare = (type: string, name: string, make: () => TerraformResource): void => {
      if (includes(`${type}.${name}`)) named(make(), name);
    };
    declare("aws_security_group", door, () => {
      const description = `who may connect to ${pool} of ${cluster}`;
      return new SecurityGroup(this, door, { ...meta, name: `${cluster}-${door}`, description, vpcId, tags });
    });
    for (const [name, range] of this.sources(pool, settings.sourceCidrs, vpcId)) {
      const ruleId = `${door}-in-${name}`;
      declare("aws_vpc_security_group_ingress_rule", ruleId, () => {
        return new VpcSecurityGroupIngressRule(this, ruleId, {
          ...meta,
          ...port,
          securityGroupId: doorId,
          cidrIpv4: range,
          tags,
        });
      });
    }
    declare("aws_vpc_security_group_egress_rule", `${door}-out`, () => {
      const to = { securityGroupId: doorId, referencedSecurityGroupId: idOf("aws_security_group.cluster") };
      return new VpcSecurityGroupEgressRule(this, `${door}-out`, { ...meta, ...port, ...to, tags });
    });
    declare("aws_vpc_security_group_ingress_rule", `${pool}-from-load-balancer`, () => {
      const from = { securityGroupId: idOf("aws_security_group.cluster"), referencedSecurityGroupId: doorId };
      return new VpcSecurityGroupIngressRule(this, `${pool}-from-load-balancer`, {
        ...meta,
        ...port,
        ...from,
        tags,
      });
    });
    declare("aws_lb", pool, () => {
      return new Lb(this, pool, {
        ...meta,
        name: `${cluster}-${pool}`,
        loadBalancerType: "network",
        internal: settings.internal,
        subnets: [...subnetIds],
        securityGroups: [doorId],
        enableCrossZoneLoadBalancing: true,
        tags,
      });
    });
    declare("aws_lb_target_group", pool, () => {
      return new LbTargetGroup(this, `${pool}-targets`, {
        ...meta,
        name: `${cluster}-${pool}`,
        port: settings.port,
        protocol,
        targetType: "instance",
        vpcId,
        deregistrationDelay: String(durationSeconds(settings.deregistrationDelay)),
        tags,
      });
    });
    declare("aws_lb_listener", pool, () => {
      return new LbListener(this, `${pool}-listener`, {
        ...meta,
        loadBalancerArn: `\${aws_lb.${pool}.arn}`,
        port: settings.port,
        protocol,
        defaultAction: [{ type: "forward", targetGroupArn: `\${aws_lb_target_group.${pool}.arn}` }],
        tags,
      });
    });
  }

  /** Named ranges that may connect: the user's own, else the VPC's. */
  private sources(pool: string, cidrs: readonly string[] | undefined, vpcId: string): [string, string][] {
    if (cidrs) return cidrs.map((cidr) => [cidr.replace(/[./]/g, "-"), cidr]);
    named(new DataAwsVpc(this, "vpc", { id: vpcId }), pool);
    return [["vpc", `\${data.aws_vpc.${pool}.cidr_block}`]];
  }
}
