import type { AwsQuery } from "./aws-query.js";
import { elementsAt, textAt } from "./xml.js";
import type { XmlElement } from "./xml.js";

export interface Network {
  readonly vpcId: string;
  /** One subnet in each of three zones. */
  readonly subnetIds: readonly [string, string, string];
}

export interface Instance {
  readonly id: string;
  readonly image: string;
  readonly type: string;
  /** `running`, `stopped`, `terminated` and so on. */
  readonly state: string;
  readonly subnetId: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The root volume is among them. */
  readonly volumeIds: readonly string[];
}

export interface Volume {
  readonly id: string;
  /** The id of the instance that has it; absent while it is detached. */
  readonly attachedTo?: string;
  readonly device?: string;
  readonly sizeGib: number;
  readonly type: string;
  readonly encrypted: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Target {
  /** The name of the target group. */
  readonly group: string;
  readonly instanceId: string;
  readonly port: number;
  /** `healthy`, `draining` and so on. */
  readonly health: string;
}

/** What stands in the cloud, and the few things that a test puts there by hand. Lists are sorted by id. */
export class Ec2 {
  readonly #query: AwsQuery;
  readonly #region: string;

  constructor(query: AwsQuery, region: string) {
    this.#query = query;
    this.#region = region;
  }

  async createNetwork(): Promise<Network> {
    const vpc = await this.#query.call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" });
    const vpcId = textAt(vpc, "vpc", "vpcId");
    const createSubnet = async (index: number, zone: string): Promise<string> => {
      const subnet = await this.#query.call("ec2", "CreateSubnet", {
        VpcId: vpcId,
        CidrBlock: `10.0.${String(index)}.0/24`,
        AvailabilityZone: `${this.#region}${zone}`,
      });
      return textAt(subnet, "subnet", "subnetId");
    };
    const subnetIds = [
      await createSubnet(0, "a"),
      await createSubnet(1, "b"),
      await createSubnet(2, "c"),
    ] as const;
    return { vpcId, subnetIds };
  }

  /** An instance that names a profile cannot start before the profile exists. */
  async createInstanceProfile(name: string): Promise<void> {
    await this.#query.call("iam", "CreateInstanceProfile", { InstanceProfileName: name });
  }

  /** moto starts instances with unknown key names, too; AWS does not. */
  async createKeyPair(name: string): Promise<void> {
    await this.#query.call("ec2", "CreateKeyPair", { KeyName: name });
  }

  /** Starts one small machine that nobody but the test knows of; answers its id. */
  async run(subnetId: string, tags: Readonly<Record<string, string>> = {}): Promise<string> {
    const named = Object.entries(tags).flatMap(([key, value], index): [string, string][] => [
      [`TagSpecification.1.Tag.${String(index + 1)}.Key`, key],
      [`TagSpecification.1.Tag.${String(index + 1)}.Value`, value],
    ]);
    const answer = await this.#query.call("ec2", "RunInstances", {
      ImageId: "ami-0aaa",
      InstanceType: "t3.small",
      MinCount: "1",
      MaxCount: "1",
      SubnetId: subnetId,
      ...(named.length > 0 && { "TagSpecification.1.ResourceType": "instance" }),
      ...Object.fromEntries(named),
    });
    return textAt(answer, "instancesSet", "item", "instanceId");
  }

  /** A target group as a pool's load balancer has it; answers its ARN. */
  async createTargetGroup(name: string, vpcId: string): Promise<string> {
    const answer = await this.#query.call("elasticloadbalancing", "CreateTargetGroup", {
      Name: name,
      Protocol: "TCP",
      Port: "9876",
      VpcId: vpcId,
      TargetType: "instance",
    });
    return textAt(answer, "CreateTargetGroupResult", "TargetGroups", "member", "TargetGroupArn");
  }

  /** Takes a machine away behind Terraform's back. */
  async terminate(instanceId: string): Promise<void> {
    await this.#query.call("ec2", "TerminateInstances", { "InstanceId.1": instanceId });
  }

  /** Those that are not terminated. */
  async instances(): Promise<readonly Instance[]> {
    return (await this.everyInstance()).filter(({ state }) => state !== "terminated");
  }

  /** Terminated ones as well. */
  async everyInstance(): Promise<readonly Instance[]> {
    const answer = await this.#query.call("ec2", "DescribeInstances");
    return byId(elementsAt(answer, "reservationSet", "item", "instancesSet", "item").map(readInstance));
  }

  async volumes(): Promise<readonly Volume[]> {
    const answer = await this.#query.call("ec2", "DescribeVolumes");
    return byId(elementsAt(answer, "volumeSet", "item").map(readVolume));
  }

  /** The registered targets of every target group. */
  async targetHealth(): Promise<readonly Target[]> {
    const answer = await this.#query.call("elasticloadbalancing", "DescribeTargetGroups");
    const groups = elementsAt(answer, "DescribeTargetGroupsResult", "TargetGroups", "member");
    const targets = await Promise.all(
      groups.map((group) =>
        this.#targetsOf(textAt(group, "TargetGroupArn"), textAt(group, "TargetGroupName")),
      ),
    );
    return targets.flat().sort((a, b) => compare(a.group, b.group) || compare(a.instanceId, b.instanceId));
  }

  async #targetsOf(arn: string, group: string): Promise<readonly Target[]> {
    const answer = await this.#query.call("elasticloadbalancing", "DescribeTargetHealth", {
      TargetGroupArn: arn,
    });
    return elementsAt(answer, "DescribeTargetHealthResult", "TargetHealthDescriptions", "member").map(
      (target) => ({
        group,
        instanceId: textAt(target, "Target", "Id"),
        port: Number(textAt(target, "Target", "Port")),
        health: textAt(target, "TargetHealth", "State"),
      }),
    );
  }
}

function readInstance(item: XmlElement): Instance {
  return {
    id: textAt(item, "instanceId"),
    image: textAt(item, "imageId"),
    type: textAt(item, "instanceType"),
    state: textAt(item, "instanceState", "name"),
    subnetId: textAt(item, "subnetId"),
    tags: readTags(item),
    volumeIds: elementsAt(item, "blockDeviceMapping", "item", "ebs", "volumeId").map(({ text }) => text),
  };
}

function readVolume(item: XmlElement): Volume {
  const [attachment] = elementsAt(item, "attachmentSet", "item");
  return {
    id: textAt(item, "volumeId"),
    ...(attachment && { attachedTo: textAt(attachment, "instanceId"), device: textAt(attachment, "device") }),
    sizeGib: Number(textAt(item, "size")),
    type: textAt(item, "volumeType"),
    encrypted: textAt(item, "encrypted") === "true",
    tags: readTags(item),
  };
}

function readTags(item: XmlElement): Record<string, string> {
  return Object.fromEntries(
    elementsAt(item, "tagSet", "item").map((tag) => [textAt(tag, "key"), textAt(tag, "value")]),
  );
}

function byId<T extends { readonly id: string }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
