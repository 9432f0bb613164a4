import {
  DescribeImagesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  type IpPermission,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { awsFailure } from "../../clients/aws/failure.js";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import type { Given } from "./arguments.js";
import { CLUSTER } from "./cluster.js";

export const INSTANCE_TYPE = "t3.small";

/** The system disk of every machine. */
const DISK_GIB = 16;

/** What machines answer at: ssh, and the web server that requests go to. */
const PORTS = [22, 8080];

/**
 * Asks AWS whether what is given is there and fits, and makes nothing.
 * @returns what is wrong, all of it, in place of what the spec says of AWS
 */
export async function checkGiven(ec2: EC2Client, given: Given): Promise<AwsSettings | readonly string[]> {
  const region = await ec2.config.region();
  const { vpcId, wrong: wrongSubnets } = await checkSubnets(ec2, given.subnetIds);
  const wrong = [
    ...wrongSubnets,
    ...(await checkImages(ec2, Object.values(given.images).flat())),
    ...(await checkSecurityGroups(ec2, given.securityGroupIds, vpcId)),
  ];
  // It would say the same once more, and only the first of it.
  if (wrong.length === 0) wrong.push(...(await tryRun(ec2, given)));
  if (wrong.length > 0) return wrong;
  const { subnetIds, securityGroupIds, instanceProfile } = given;
  return {
    region,
    vpcId,
    subnetIds: [...subnetIds],
    securityGroupIds: [...securityGroupIds],
    instanceProfile,
  };
}

async function checkImages(ec2: EC2Client, ids: readonly string[]): Promise<string[]> {
  const Filters = [{ Name: "image-id", Values: [...ids] }];
  const { Images = [] } = await ask("ec2:DescribeImages", () =>
    ec2.send(new DescribeImagesCommand({ Filters })),
  );
  return ids.flatMap((id) => {
    const image = Images.find(({ ImageId }) => ImageId === id);
    if (image === undefined) return [`the image ${id} is not there`];
    const { State, Architecture, BlockDeviceMappings = [], RootDeviceName } = image;
    const root = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName);
    const size = root?.Ebs?.VolumeSize ?? 0;
    return [
      ...(State === "available" ? [] : [`the image ${id} is ${String(State)}, not available`]),
      ...(Architecture === "x86_64"
        ? []
        : [`the image ${id} is for ${String(Architecture)}; ${INSTANCE_TYPE} is x86_64`]),
      ...(size <= DISK_GIB
        ? []
        : [`the image ${id} has a system disk of ${String(size)} GiB; ${String(DISK_GIB)} are given to it`]),
    ];
  });
}

async function checkSubnets(
  ec2: EC2Client,
  ids: Given["subnetIds"],
): Promise<{ vpcId: string; wrong: string[] }> {
  const Filters = [{ Name: "subnet-id", Values: [...ids] }];
  const { Subnets = [] } = await ask("ec2:DescribeSubnets", () =>
    ec2.send(new DescribeSubnetsCommand({ Filters })),
  );
  const wrong = ids
    .filter((id) => !Subnets.some(({ SubnetId }) => SubnetId === id))
    .map((id) => `the subnet ${id} is not there`);
  const zones = [...new Set(Subnets.map(({ AvailabilityZone }) => AvailabilityZone ?? ""))].sort();
  const vpcs = [...new Set(Subnets.map(({ VpcId }) => VpcId ?? ""))].sort();
  if (wrong.length === 0 && zones.length < ids.length)
    wrong.push(`the subnets are in ${zones.join(" and ")}; three zones are needed`);
  if (vpcs.length > 1) wrong.push(`the subnets are in ${vpcs.join(" and ")}; one VPC is needed`);
  return { vpcId: vpcs.length === 1 ? (vpcs[0] ?? "") : "", wrong };
}

async function checkSecurityGroups(ec2: EC2Client, ids: readonly string[], vpcId: string): Promise<string[]> {
  const Filters = [{ Name: "group-id", Values: [...ids] }];
  const { SecurityGroups = [] } = await ask("ec2:DescribeSecurityGroups", () =>
    ec2.send(new DescribeSecurityGroupsCommand({ Filters })),
  );
  const wrong = ids.flatMap((id) => {
    const group = SecurityGroups.find(({ GroupId }) => GroupId === id);
    if (group === undefined) return [`the security group ${id} is not there`];
    return group.VpcId === vpcId || vpcId === ""
      ? []
      : [`the security group ${id} is in ${String(group.VpcId)}, the subnets are in ${vpcId}`];
  });
  if (wrong.length > 0) return wrong;
  const rules = SecurityGroups.flatMap(({ IpPermissions = [] }) => IpPermissions);
  return PORTS.filter((port) => !rules.some((rule) => opens(rule, port))).map(
    (port) => `no security group of ${ids.join(", ")} lets anybody to port ${String(port)}`,
  );
}

function opens({ IpProtocol, FromPort = 0, ToPort = 65_535 }: IpPermission, port: number): boolean {
  return IpProtocol === "-1" || (IpProtocol === "tcp" && FromPort <= port && port <= ToPort);
}

/** EC2 says of a request that it would have succeeded, or why not: an unknown profile, a right that is missing. */
async function tryRun(ec2: EC2Client, { images, subnetIds, ...given }: Given): Promise<string[]> {
  const request = new RunInstancesCommand({
    DryRun: true,
    ImageId: images.plain[0],
    InstanceType: INSTANCE_TYPE,
    MinCount: 1,
    MaxCount: 1,
    SubnetId: subnetIds[0],
    SecurityGroupIds: [...given.securityGroupIds],
    IamInstanceProfile: { Name: given.instanceProfile },
    // Whoever has docs/iam alone may start nothing without it.
    TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "rollout:cluster", Value: CLUSTER }] }],
  });
  try {
    await ec2.send(request);
  } catch (error) {
    if (error instanceof Error && error.name === "DryRunOperation") return [];
    return [`EC2 would not start a machine: ${awsFailure(error, "ec2:RunInstances").message}`];
  }
  return [];
}

async function ask<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw awsFailure(error, action);
  }
}
