import {
  DeleteSecurityGroupCommand,
  DeleteVolumeCommand,
  type EC2Client,
  paginateDescribeInstances,
  paginateDescribeSecurityGroupRules,
  paginateDescribeSecurityGroups,
  paginateDescribeVolumes,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DescribeTagsCommand,
  type ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { awsFailure } from "../../clients/aws/failure.js";
import { messageOf } from "../../clients/error-code.js";
import { Parameters } from "./parameters.js";

/** Something that a run has made, found by its tag. */
export interface Leftover {
  /** `instance` */
  readonly kind: string;
  readonly id: string;
  /** Begins it, or fails: what others still use is tried again. */
  readonly remove: () => Promise<unknown>;
}

export interface Clients {
  readonly ec2: EC2Client;
  readonly loadBalancing: ElasticLoadBalancingV2Client;
}

/**
 * All that has the tag `rollout:cluster` with this value, in the order in which it is removed.
 * @throws UserError with AWS's reason
 */
export async function findTagged(clients: Clients, cluster: string): Promise<readonly Leftover[]> {
  return [
    ...(await asked("ec2:DescribeInstances", instances(clients, cluster))),
    ...(await asked("elasticloadbalancing:DescribeLoadBalancers", loadBalancers(clients, cluster))),
    ...(await asked("elasticloadbalancing:DescribeTargetGroups", targetGroups(clients, cluster))),
    ...(await asked("ec2:DescribeVolumes", volumes(clients, cluster))),
    ...(await asked("ec2:DescribeSecurityGroups", securityGroups(clients, cluster))),
    ...(await asked("ssm:DescribeParameters", parameters(clients, cluster))),
  ];
}

interface TakeDownOptions {
  readonly minutes: number;
  readonly pause: () => Promise<void>;
  readonly say: (line: string) => void;
}

/**
 * Removes all that is found, until two looks in a row find nothing: what was being made as somebody stopped it may show late.
 * @returns what is left, each with the last reason, when time is up
 */
export async function takeDown(
  find: () => Promise<readonly Leftover[]>,
  { minutes, pause, say }: TakeDownOptions,
): Promise<readonly string[]> {
  const end = performance.now() + minutes * 60_000;
  const seen = new Map<string, string>();
  for (let empty = 0; empty < 2;) {
    const found = await find().catch((error: unknown) => messageOf(error));
    const left: string[] = typeof found === "string" ? [found] : [];
    for (const { kind, id, remove } of typeof found === "string" ? [] : found) {
      if (!seen.has(id)) say(`taking down the ${kind} ${id}`);
      seen.set(id, kind);
      left.push(
        `the ${kind} ${id}${await remove().then(
          () => "",
          (error: unknown) => `: ${messageOf(error)}`,
        )}`,
      );
    }
    if (left.length > 0 && performance.now() > end) return left;
    empty = left.length === 0 ? empty + 1 : 0;
    await pause();
  }
  say(`taken down: ${describeKinds([...seen.values()])}`);
  return [];
}

/** `12 instances, 1 load balancer` */
export function describeKinds(kinds: readonly string[]): string {
  const counted = [...new Set(kinds)].map((kind) => {
    const count = kinds.filter((each) => each === kind).length;
    return `${String(count)} ${kind}${count === 1 ? "" : "s"}`;
  });
  return counted.length === 0 ? "nothing was there" : counted.join(", ");
}

const asked = <T>(action: string, answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw awsFailure(error, action);
  });

const filtersOf = (cluster: string) => [{ Name: "tag:rollout:cluster", Values: [cluster] }];

async function instances({ ec2 }: Clients, cluster: string): Promise<Leftover[]> {
  const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
  const Filters = [...filtersOf(cluster), { Name: "instance-state-name", Values: states }];
  const found: Leftover[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters }))
    for (const { InstanceId = "" } of Reservations.flatMap(({ Instances = [] }) => Instances))
      found.push({
        kind: "instance",
        id: InstanceId,
        remove: () => ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] })),
      });
  return found;
}

async function volumes({ ec2 }: Clients, cluster: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for await (const { Volumes = [] } of paginateDescribeVolumes(
    { client: ec2 },
    { Filters: filtersOf(cluster) },
  ))
    for (const { VolumeId } of Volumes)
      found.push({
        kind: "volume",
        id: VolumeId ?? "",
        remove: () => ec2.send(new DeleteVolumeCommand({ VolumeId })),
      });
  return found;
}

async function securityGroups({ ec2 }: Clients, cluster: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for await (const { SecurityGroups = [] } of paginateDescribeSecurityGroups(
    { client: ec2 },
    { Filters: filtersOf(cluster) },
  ))
    for (const { GroupId = "" } of SecurityGroups)
      found.push({
        kind: "security group",
        id: GroupId,
        remove: () => removeSecurityGroup(ec2, GroupId),
      });
  return found;
}

/** Groups whose rules name each other cannot be deleted before these rules. */
async function removeSecurityGroup(ec2: EC2Client, GroupId: string): Promise<void> {
  const Filters = [{ Name: "group-id", Values: [GroupId] }];
  for await (const { SecurityGroupRules = [] } of paginateDescribeSecurityGroupRules(
    { client: ec2 },
    { Filters },
  ))
    for (const { IsEgress, SecurityGroupRuleId = "" } of SecurityGroupRules) {
      const rule = { GroupId, SecurityGroupRuleIds: [SecurityGroupRuleId] };
      if (IsEgress === true) await ec2.send(new RevokeSecurityGroupEgressCommand(rule));
      else await ec2.send(new RevokeSecurityGroupIngressCommand(rule));
    }
  await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
}

async function loadBalancers({ loadBalancing }: Clients, cluster: string): Promise<Leftover[]> {
  const arns: string[] = [];
  for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client: loadBalancing }, {}))
    arns.push(...LoadBalancers.flatMap(({ LoadBalancerArn }) => LoadBalancerArn ?? []));
  return (await taggedOf(loadBalancing, arns, cluster)).map((LoadBalancerArn) => ({
    kind: "load balancer",
    id: LoadBalancerArn,
    remove: () => loadBalancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn })),
  }));
}

async function targetGroups({ loadBalancing }: Clients, cluster: string): Promise<Leftover[]> {
  const arns: string[] = [];
  for await (const { TargetGroups = [] } of paginateDescribeTargetGroups({ client: loadBalancing }, {}))
    arns.push(...TargetGroups.flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []));
  return (await taggedOf(loadBalancing, arns, cluster)).map((TargetGroupArn) => ({
    kind: "target group",
    id: TargetGroupArn,
    remove: () => loadBalancing.send(new DeleteTargetGroupCommand({ TargetGroupArn })),
  }));
}

/** Load balancing has no filter by tags, and tells those of twenty at a time. */
async function taggedOf(
  client: ElasticLoadBalancingV2Client,
  arns: readonly string[],
  cluster: string,
): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < arns.length; at += 20) {
    const { TagDescriptions = [] } = await client.send(
      new DescribeTagsCommand({ ResourceArns: arns.slice(at, at + 20) }),
    );
    for (const { ResourceArn, Tags = [] } of TagDescriptions)
      if (Tags.some(({ Key, Value }) => Key === "rollout:cluster" && Value === cluster))
        found.push(ResourceArn ?? "");
  }
  return found;
}

async function parameters({ ec2 }: Clients, cluster: string): Promise<Leftover[]> {
  const ssm = new Parameters(ec2);
  return (await ssm.list(cluster)).map((name) => ({
    kind: "parameter",
    id: name,
    remove: () => ssm.delete(name),
  }));
}
