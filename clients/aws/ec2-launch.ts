import type { DeployedHost } from "../../cluster/deployed.js";
import { furtherGroups, machineSettings, type Group } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import type { _InstanceType, InstanceTypeOffering } from "@aws-sdk/client-ec2";
import { awsFailure } from "./failure.js";
import { clientSettings } from "./settings.js";

/**
 * What EC2 says of what a group's machines are started with; none is started, and what it does not say is undefined.
 * @param isTried whether a launch is tried dry, and EC2 asked again where it does not answer. A dry run speaks of rights, key,
 * profile and security groups, not of room.
 */
export async function launchFacts(
  { name, aws }: Extract<Spec, { platform: "aws" }>,
  group: Group,
  hosts: readonly DeployedHost[],
  isTried: boolean,
) {
  const { index, image, instanceType, rootVolume, tags = {} } = group;
  const { region, keyName: KeyName, imageOwners = [] } = aws;
  const { instanceProfile } = machineSettings(aws, group);
  const sdk = await import("./ec2-sdk.js");
  const ec2 = new sdk.EC2Client(clientSettings({ region, maxAttempts: isTried ? 5 : 1 }));
  const unknown = new Set<string>();
  const ask = <T>(action: string, answer: Promise<T>): Promise<T | undefined> =>
    answer.catch((error: unknown) => void unknown.add(awsFailure(error, `ec2:${action}`).message));
  const by = (Name: string, value: string) => ({ Filters: [{ Name, Values: [value] }] });
  const ofImage = { ...by("image-id", image), IncludeDeprecated: true, IncludeDisabled: true };
  const allowed = { ...ofImage, Owners: ["self", ...imageOwners] };
  const inZones = { ...by("instance-type", instanceType), LocationType: "availability-zone" } as const;
  // A filter is applied page by page, and a first page without it is no answer.
  const typesOf = async () => {
    try {
      return await ec2.send(
        new sdk.DescribeInstanceTypesCommand({ InstanceTypes: [instanceType as _InstanceType] }),
      );
    } catch (error) {
      if (error instanceof Error && error.name === "InvalidInstanceType") return { InstanceTypes: [] };
      throw error;
    }
  };
  const offersOf = async () => {
    const InstanceTypeOfferings: InstanceTypeOffering[] = [];
    for await (const page of sdk.paginateDescribeInstanceTypeOfferings({ client: ec2 }, inZones))
      InstanceTypeOfferings.push(...(page.InstanceTypeOfferings ?? []));
    return { InstanceTypeOfferings };
  };
  const SubnetId = aws.subnetIds[index];
  const [images, own, types, offers, subnets] = await Promise.all([
    ask("DescribeImages", ec2.send(new sdk.DescribeImagesCommand(ofImage))),
    ask("DescribeImages", ec2.send(new sdk.DescribeImagesCommand(allowed))),
    ask("DescribeInstanceTypes", typesOf()),
    ask("DescribeInstanceTypeOfferings", offersOf()),
    ask("DescribeSubnets", ec2.send(new sdk.DescribeSubnetsCommand(by("subnet-id", SubnetId)))),
  ]);
  const [found, type] = [images?.Images?.[0], types?.InstanceTypes?.[0]];
  const theirs = hosts.flatMap((host) => host.securityGroupIds ?? []);
  const Ebs = { Encrypted: true, VolumeSize: rootVolume?.sizeGib };
  const Tags = Object.entries({ ...tags, "rollout:cluster": name }).map(([Key, Value]) => ({ Key, Value }));
  // As like the launch as it can be: policies ask for tags, encrypted disks and tokens.
  const launch = new sdk.RunInstancesCommand({
    ...{ DryRun: true, MinCount: 1, MaxCount: 1, ImageId: image, SubnetId, KeyName },
    InstanceType: type?.InstanceType,
    IamInstanceProfile: instanceProfile === "" ? undefined : { Name: instanceProfile },
    SecurityGroupIds: [...new Set([...theirs, ...furtherGroups(aws, group)])],
    MetadataOptions: { HttpEndpoint: "enabled", HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    BlockDeviceMappings: [{ DeviceName: found?.RootDeviceName, Ebs }],
    TagSpecifications: [{ ResourceType: "instance", Tags }],
  });
  const said = isTried && found && type ? await ec2.send(launch).catch((error: unknown) => error) : null;
  const code = said instanceof Error ? said.name : "";
  const answer = code === "" ? "" : awsFailure(said, "ec2:RunInstances").message;
  const isUnauthorized = code.startsWith("Unauthorized");
  // To give a machine its profile is a right that no tag decides.
  const isRefused = OBJECTION.test(code) || (isUnauthorized && answer.includes("iam:PassRole"));
  const objection = isRefused ? answer : undefined;
  // A policy may ask for tags that come by an aspect, which this launch has not.
  if (isUnauthorized && !isRefused) unknown.add(answer);
  return { ...images, own: own?.Images, ...types, ...offers, ...subnets, objection, unknown };
}

/** Neither its word that it would have been done, nor that there is no room, nor one about credentials. */
const OBJECTION = /^(Invalid(?!ClientTokenId)|Unsupported|NoSuchEntity|OptInRequired)/;
