import { DataAwsSubnet } from "@cdktf/provider-aws/lib/data-aws-subnet/index.js";
import { DataAwsVpc } from "@cdktf/provider-aws/lib/data-aws-vpc/index.js";
import { EbsVolume } from "@cdktf/provider-aws/lib/ebs-volume/index.js";
import { Instance } from "@cdktf/provider-aws/lib/instance/index.js";
import { LbListener } from "@cdktf/provider-aws/lib/lb-listener/index.js";
import { LbTargetGroupAttachment } from "@cdktf/provider-aws/lib/lb-target-group-attachment/index.js";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group/index.js";
import { Lb } from "@cdktf/provider-aws/lib/lb/index.js";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider/index.js";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group/index.js";
import { VolumeAttachment } from "@cdktf/provider-aws/lib/volume-attachment/index.js";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js";
import { NullProvider } from "@cdktf/provider-null/lib/provider/index.js";
import { Resource } from "@cdktf/provider-null/lib/resource/index.js";
import { App, LocalBackend, TerraformResource, TerraformStack, TerraformVariable } from "cdktf";

/**
 * A program that declares a view with cdktf alone, as one would write it by hand for this one cluster: every resource in the
 * stack itself, no constructs, no state, no guard.
 */
export function synthesizeBare({ outdir, view, spec, pools, specFolder, program, cause }) {
  const app = new App({ outdir });
  const stack = new TerraformStack(app, view);
  new LocalBackend(stack, { path: `${specFolder}/${spec.backend.path}` });
  stack.addOverride("terraform.required_version", ">= 1.9.0");
  const isCluster = view === "cluster";
  const groups = pools.flatMap((pool) => pool.groups);
  new TerraformVariable(stack, "rollout_view", {
    type: "string",
    default: view,
    description: "The view that this plan is of.",
  });
  const base = new TerraformVariable(stack, "rollout_base", {
    type: "map(number)",
    description: "The revision of each group that this view was made from.",
  });
  // cdktf would write the names of groups with underscores.
  base.addOverride("default", isCluster ? {} : Object.fromEntries(groups.map(({ name }) => [name, 1])));
  new AwsProvider(stack, "aws", { region: spec.aws.region });
  new NullProvider(stack, "null");
  spec.aws.subnetIds.forEach((id, index) => {
    new DataAwsSubnet(stack, `subnet-${index}`, { id });
  });
  const shared = { lifecycle: isCluster ? { preventDestroy: true } : FROZEN };
  declareSecurityGroup(stack, spec, shared);
  const servers = groups
    .filter(({ pool }) => pool === "consul-server")
    .map(({ name }) => `aws_instance.${name}-0`);
  for (const pool of pools) {
    if (pool.loadBalancer) declareLoadBalancer(stack, spec, pool, shared);
    for (const group of pool.groups) {
      const isLive = isCluster || group.name === view;
      declareGroup(stack, spec, {
        ...group,
        isLive,
        balanced: pool.loadBalancer !== undefined,
        servers,
        hook: `exec node "${program}" hook`,
        hostsAfter: isCluster ? hostsAfter(group, groups) : [],
        zone: isCluster
          ? `\${data.aws_subnet.subnet-${group.index}.availability_zone}`
          : `eu-west-1${"abc"[group.index]}`,
        revisions: revisionsOf(group, { isCluster, isLive, cause }),
      });
    }
  }
  app.synth();
}

const FROZEN = { preventDestroy: true, ignoreChanges: "all" };

const on = (...addresses) => addresses.map((fqn) => ({ fqn }));

const dependsOn = (addresses) => (addresses.length > 0 ? { dependsOn: on(...addresses) } : {});

const localExec = (command, when) => ({ type: "local-exec", ...(when ? { when } : {}), command });

function hostsAfter({ role }, groups) {
  const before = {
    "consul-server": [],
    "nomad-server": ["consul-server"],
    client: ["consul-server", "nomad-server"],
  };
  return groups
    .filter((group) => before[role].includes(group.role))
    .map(({ name }) => `null_resource.${name}-ready`);
}

function revisionsOf({ hash, image, generation, before }, { isCluster, isLive, cause }) {
  const now = { image, hash, generation };
  if (isCluster) return [{ number: 1, ...now, cause }];
  if (!isLive) return [{ number: 1, ...now, cause: "bench" }];
  return [
    { number: 1, ...before, generation, cause: "bench" },
    { number: 2, ...now, cause },
  ];
}

function declareGroup(stack, spec, group) {
  const { name, pool, hosts, hash, dataVolume, balanced, isLive, hook } = group;
  const freeze = isLive ? {} : { lifecycle: FROZEN };
  const ignore = isLive ? {} : { lifecycle: { ignoreChanges: "all" } };
  const kept = { lifecycle: isLive ? { preventDestroy: true } : FROZEN };
  const numbers = Array.from({ length: hosts }, (_, number) => number);
  const tags = { "rollout:cluster": spec.name, "rollout:pool": pool, "rollout:group": name };
  const names = numbers.map((number) => `${name}-${number}`);
  for (const host of names) {
    new Instance(stack, host, {
      ...freeze,
      ...dependsOn(group.hostsAfter),
      ami: group.image,
      instanceType: group.instanceType,
      subnetId: spec.aws.subnetIds[group.index],
      vpcSecurityGroupIds: ["${aws_security_group.cluster.id}"],
      keyName: spec.aws.keyName,
      iamInstanceProfile: spec.aws.instanceProfile,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true },
      userData: userData(spec.name, group, host),
      userDataReplaceOnChange: true,
      tags: { Name: `${spec.name}-${host}`, ...tags, "rollout:template-hash": hash },
    });
    if (dataVolume) {
      new EbsVolume(stack, `${host}-data`, {
        ...kept,
        availabilityZone: group.zone,
        size: dataVolume.sizeGib,
        type: dataVolume.type,
        encrypted: true,
        tags: { Name: `${spec.name}-${host}-data`, ...tags },
      });
      new VolumeAttachment(stack, `${host}-data-attachment`, {
        ...freeze,
        deviceName: "/dev/sdf",
        instanceId: `\${aws_instance.${host}.id}`,
        volumeId: `\${aws_ebs_volume.${host}-data.id}`,
        stopInstanceBeforeDetaching: true,
      });
    }
    new Resource(stack, `${host}-config-consul`, {
      ...ignore,
      ...dependsOn(dataVolume ? [`aws_volume_attachment.${host}-data-attachment`] : []),
      triggers: {
        host: `\${aws_instance.${host}.id}`,
        servers: group.servers.map((server) => `\${${server}.id}`).join(","),
      },
      provisioners: [localExec(`${hook} configure-consul ${host}`)],
    });
    if (balanced) {
      new LbTargetGroupAttachment(stack, `${host}-target`, {
        ...freeze,
        dependsOn: on(`null_resource.${host}-config-consul`),
        targetGroupArn: `\${aws_lb_target_group.${pool}.arn}`,
        targetId: `\${aws_instance.${host}.id}`,
      });
    }
  }
  new Resource(stack, `${name}-leave`, {
    ...freeze,
    dependsOn: names.flatMap((host) =>
      on(
        `aws_instance.${host}`,
        ...(dataVolume ? [`aws_volume_attachment.${host}-data-attachment`] : []),
        `null_resource.${host}-config-consul`,
      ),
    ),
    triggers: { hash, hosts: names.join(",") },
    provisioners: [localExec(`${hook} leave ${name} --hash ${hash} --stay ${names.join(",")}`, "destroy")],
  });
  new Resource(stack, `${name}-ready`, {
    ...ignore,
    dependsOn: on(
      `null_resource.${name}-leave`,
      ...names.flatMap((host) => [
        `null_resource.${host}-config-consul`,
        ...(balanced ? [`aws_lb_target_group_attachment.${host}-target`] : []),
      ]),
    ),
    triggers: { hosts: names.map((host) => `\${aws_instance.${host}.id}`).join(","), hash, gate: "open" },
    provisioners: [localExec(`${hook} ready ${name} --hash ${hash}`)],
  });
  const revision = new TerraformResource(stack, `${name}-revision`, {
    terraformResourceType: "terraform_data",
    ...kept,
    dependsOn: on(`null_resource.${name}-ready`),
  });
  revision.addOverride("input", { cluster: spec.name, group: name, revisions: group.revisions });
}

function userData(cluster, { hash, pool, name, image }, host) {
  return `#cloud-config
# rollout-template-hash: ${hash}
write_files:
  - path: /etc/rollout/machine.env
    permissions: "0644"
    content: |
      ROLLOUT_CLUSTER=${cluster}
      ROLLOUT_POOL=${pool}
      ROLLOUT_GROUP=${name}
      ROLLOUT_HOST=${host}
      ROLLOUT_IMAGE=${image}
      ROLLOUT_TEMPLATE_HASH=${hash}
`;
}

const PORTS = [
  ["consul-rpc", "tcp", 8300, 8300],
  ["consul-serf-tcp", "tcp", 8301, 8301],
  ["consul-serf-udp", "udp", 8301, 8301],
  ["nomad-http-rpc", "tcp", 4646, 4647],
  ["nomad-serf-tcp", "tcp", 4648, 4648],
  ["nomad-serf-udp", "udp", 4648, 4648],
];

const ID = "${aws_security_group.cluster.id}";

function declareSecurityGroup(stack, { name, aws }, shared) {
  const tags = { "rollout:cluster": name };
  new SecurityGroup(stack, "cluster", {
    ...shared,
    name: `${name}-cluster`,
    description: `Consul and Nomad of ${name} among themselves`,
    vpcId: aws.vpcId,
    tags: { Name: `${name}-cluster`, ...tags },
  });
  for (const [port, ipProtocol, fromPort, toPort] of PORTS) {
    new VpcSecurityGroupIngressRule(stack, `cluster-${port}`, {
      ...shared,
      ipProtocol,
      fromPort,
      toPort,
      securityGroupId: ID,
      referencedSecurityGroupId: ID,
      description: port,
      tags,
    });
  }
  new VpcSecurityGroupEgressRule(stack, "cluster-out", {
    ...shared,
    ipProtocol: "-1",
    cidrIpv4: "0.0.0.0/0",
    securityGroupId: ID,
    description: "out to anywhere",
    tags,
  });
}

function declareLoadBalancer(stack, { name: cluster, aws }, { name: pool, loadBalancer }, shared) {
  const tags = { "rollout:cluster": cluster, "rollout:pool": pool };
  const door = `${pool}-load-balancer`;
  const doorId = `\${aws_security_group.${door}.id}`;
  const port = { ipProtocol: loadBalancer.protocol, fromPort: loadBalancer.port, toPort: loadBalancer.port };
  new DataAwsVpc(stack, `${pool}-vpc`, { id: aws.vpcId }).overrideLogicalId(pool);
  new SecurityGroup(stack, door, {
    ...shared,
    name: `${cluster}-${door}`,
    description: `who may connect to ${pool} of ${cluster}`,
    vpcId: aws.vpcId,
    tags,
  });
  new VpcSecurityGroupIngressRule(stack, `${door}-in-vpc`, {
    ...shared,
    ...port,
    securityGroupId: doorId,
    cidrIpv4: `\${data.aws_vpc.${pool}.cidr_block}`,
    tags,
  });
  new VpcSecurityGroupEgressRule(stack, `${door}-out`, {
    ...shared,
    ...port,
    securityGroupId: doorId,
    referencedSecurityGroupId: ID,
    tags,
  });
  new VpcSecurityGroupIngressRule(stack, `${pool}-from-load-balancer`, {
    ...shared,
    ...port,
    securityGroupId: ID,
    referencedSecurityGroupId: doorId,
    tags,
  });
  new Lb(stack, pool, {
    ...shared,
    name: `${cluster}-${pool}`,
    loadBalancerType: "network",
    internal: loadBalancer.internal,
    subnets: aws.subnetIds,
    securityGroups: [doorId],
    enableCrossZoneLoadBalancing: true,
    tags,
  });
  new LbTargetGroup(stack, `${pool}-targets`, {
    ...shared,
    name: `${cluster}-${pool}`,
    port: loadBalancer.port,
    protocol: loadBalancer.protocol.toUpperCase(),
    targetType: "instance",
    vpcId: aws.vpcId,
    deregistrationDelay: "60",
    tags,
  }).overrideLogicalId(pool);
  new LbListener(stack, `${pool}-listener`, {
    ...shared,
    loadBalancerArn: `\${aws_lb.${pool}.arn}`,
    port: loadBalancer.port,
    protocol: loadBalancer.protocol.toUpperCase(),
    defaultAction: [{ type: "forward", targetGroupArn: `\${aws_lb_target_group.${pool}.arn}` }],
    tags,
  }).overrideLogicalId(pool);
}
