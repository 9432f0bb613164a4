import { AwsQuery } from "../support/aws-query.js";
import type { Moto } from "../support/moto.js";
import type { Instance, Volume } from "../support/moto-ec2.js";
import { elementsAt, textAt } from "../support/xml.js";

/** What a test compares of the cloud, by the names that people see there, without the cluster's own: `broker-0-1`. */
export interface Cloud {
  readonly machines: Readonly<Record<string, Instance>>;
  /** The data volumes; root volumes have no name. */
  readonly volumes: Readonly<Record<string, Volume>>;
  /** The ids of the machines that the load balancer knows, sorted. */
  readonly targets: readonly string[];
}

/** Asks the EC2 API what is there. */
export async function lookAt({ ec2 }: Moto): Promise<Cloud> {
  const [instances, volumes, targets] = await Promise.all([
    ec2.instances(),
    ec2.volumes(),
    ec2.targetHealth(),
  ]);
  return {
    machines: byName(instances),
    volumes: byName(volumes.filter(({ tags }) => "Name" in tags)),
    targets: targets.map(({ instanceId }) => instanceId),
  };
}

/** The machines of a group, by the tag that people filter by. */
export function groupOf({ machines }: Cloud, group: string): Instance[] {
  return Object.values(machines).filter(({ tags }) => tags["rollout:group"] === group);
}

/** The names of the machines whose ids differ between two looks, came or went; sorted. */
export function changedMachines(before: Cloud, after: Cloud): string[] {
  const names = new Set([...Object.keys(before.machines), ...Object.keys(after.machines)]);
  return [...names].filter((name) => before.machines[name]?.id !== after.machines[name]?.id).sort();
}

/** How each machine answers for its metadata, as the API tells it. */
export async function metadataOptions(moto: Moto): Promise<{ tokens: string; hopLimit: string }[]> {
  const answer = await query(moto).call("ec2", "DescribeInstances");
  return elementsAt(answer, "reservationSet", "item", "instancesSet", "item", "metadataOptions").map(
    (options) => ({
      tokens: textAt(options, "httpTokens"),
      hopLimit: textAt(options, "httpPutResponseHopLimit"),
    }),
  );
}

/** Every rule of every security group that lets something in: `tcp 8300-8300 sg-1`, `tcp 9876-9876 10.0.0.0/16`. */
export async function ingressRules(moto: Moto): Promise<string[]> {
  const answer = await query(moto).call("ec2", "DescribeSecurityGroupRules");
  return elementsAt(answer, "securityGroupRuleSet", "item")
    .filter((rule) => textAt(rule, "isEgress") === "false")
    .map((rule) => {
      const from = textAt(rule, "cidrIpv4") || (textAt(rule, "referencedGroupInfo", "groupId") && "a group");
      return `${textAt(rule, "ipProtocol")} ${textAt(rule, "fromPort")}-${textAt(rule, "toPort")} from ${from}`;
    })
    .sort();
}

export const query = ({ url }: Moto): AwsQuery => new AwsQuery(url, "eu-west-1");

function byName<T extends { readonly tags: Readonly<Record<string, string>> }>(
  list: readonly T[],
): Record<string, T> {
  return Object.fromEntries(list.map((each) => [(each.tags["Name"] ?? "").replace(/^demo-/, ""), each]));
}
