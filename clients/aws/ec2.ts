import type { EC2Client, Instance } from "@aws-sdk/client-ec2";
import { parseAddress } from "../../cluster/address.js";
import { awsFailure } from "./failure.js";
import { clientSettings, type AwsSettings } from "./settings.js";

/** A machine of a cluster, as EC2 knows it. The tags are what Terraform wrote, and no proof of what runs; all else is. */
export interface Ec2Machine {
  /** `broker-0-1`, after its tags; undefined where they do not fit together. */
  readonly host: string | undefined;
  readonly group: string;
  readonly instanceId: string;
  readonly image: string;
  /** `pending`, `running`, `shutting-down`, `stopping`, `stopped` or `terminated`. */
  readonly state: string;
  readonly privateIp: string | undefined;
  readonly launchTime: Date | undefined;
  /** The ids of the volumes that are attached to it. */
  readonly volumes: readonly string[];
}

export interface FindOptions {
  /** One group's machines only. */
  readonly group?: string;
  /** AWS shows a terminated machine for about an hour. @default false */
  readonly terminated?: boolean;
}

/** The machines of a cluster, asked of EC2 by their tags. */
export class Ec2Machines {
  #client: EC2Client | undefined;

  constructor(private readonly settings: AwsSettings = {}) {}

  /**
   * Sorted by host and launch time: while one is replaced, two can have the same name.
   * @throws UserError with AWS's reason
   */
  async find(
    cluster: string,
    { group, terminated = false }: FindOptions = {},
  ): Promise<readonly Ec2Machine[]> {
    const { paginateDescribeInstances, EC2Client } = await import("./ec2-sdk.js");
    const client = (this.#client ??= new EC2Client(clientSettings(this.settings)));
    const Filters = [
      { Name: "tag:rollout:cluster", Values: [cluster] },
      ...(group === undefined ? [] : [{ Name: "tag:rollout:group", Values: [group] }]),
    ];
    const found: Ec2Machine[] = [];
    try {
      for await (const { Reservations = [] } of paginateDescribeInstances(
        { client, pageSize: 1000 },
        { Filters },
      )) {
        const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
        found.push(...instances.flatMap((instance) => readMachine(instance, cluster, group)));
      }
    } catch (error) {
      throw awsFailure(error, "ec2:DescribeInstances");
    }
    return found
      .filter(({ state }) => terminated || state !== "terminated")
      .sort((a, b) => compare(a.host ?? "", b.host ?? "") || launched(a) - launched(b));
  }
}

/** Values of filters may hold wildcards, so the tags are compared again. */
function readMachine(instance: Instance, cluster: string, wanted: string | undefined): Ec2Machine[] {
  const tags = new Map(instance.Tags?.map(({ Key, Value }) => [Key, Value]));
  const group = tags.get("rollout:group") ?? "";
  if (instance.InstanceId === undefined || tags.get("rollout:cluster") !== cluster) return [];
  if (wanted !== undefined && group !== wanted) return [];
  return [
    {
      host: hostOf(tags.get("Name") ?? "", cluster, group),
      group,
      instanceId: instance.InstanceId,
      image: instance.ImageId ?? "",
      state: instance.State?.Name ?? "",
      privateIp: instance.PrivateIpAddress,
      launchTime: instance.LaunchTime,
      volumes: (instance.BlockDeviceMappings ?? []).flatMap(({ Ebs }) =>
        Ebs?.Status === "attached" ? (Ebs.VolumeId ?? []) : [],
      ),
    },
  ];
}

/** A machine's tag `Name` is the cluster's name and its own. */
function hostOf(name: string, cluster: string, group: string): string | undefined {
  if (!name.startsWith(`${cluster}-`)) return undefined;
  const host = name.slice(cluster.length + 1);
  const member = parseAddress(`aws_instance.${host}`);
  return member?.kind === "host" && member.group === group ? host : undefined;
}

const launched = ({ launchTime }: Ec2Machine): number => launchTime?.getTime() ?? 0;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
