import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { AwsFailure, awsFailure } from "./failure.js";
import { clientSettings, type AwsSettings } from "./settings.js";

/** `gone`: it is not registered, or has been deregistered and is drained. */
type TargetStateName = "unused" | "draining" | "healthy" | "unhealthy" | "initial" | "gone";

export interface TargetState {
  readonly state: TargetStateName;
  /** AWS's code and words, such as `Target.DeregistrationInProgress: Target deregistration is in progress`; may be empty. */
  readonly reason: string;
}

/** A machine that is registered with several ports is as far as the one that holds it most. */
const RANKS: readonly TargetStateName[] = ["unhealthy", "initial", "healthy", "draining", "unused"];

/** AWS's load balancers. Terraform registers and deregisters targets; what it has not taken out yet can be taken out here. */
export class LoadBalancer {
  #client: ElasticLoadBalancingV2Client | undefined;

  constructor(private readonly settings: AwsSettings = {}) {}

  /**
   * What the load balancer makes of some machines.
   * @param targetGroup name or ARN
   * @param instanceIds all of them are in the answer
   * @throws AwsFailure
   */
  async targetStates(
    targetGroup: string,
    instanceIds: readonly string[],
  ): Promise<ReadonlyMap<string, TargetState>> {
    const { DescribeTargetHealthCommand } = await import("./load-balancer-sdk.js");
    const client = await this.#connect();
    const arn = targetGroup.startsWith("arn:") ? targetGroup : await this.#arnOf(targetGroup);
    // All targets, since AWS refuses a question for a machine that it has forgotten.
    const answer = await asked("elasticloadbalancing:DescribeTargetHealth", () =>
      client.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn })),
    );
    const states = new Map<string, TargetState>(
      instanceIds.map((id) => [id, { state: "gone", reason: "not registered" }]),
    );
    for (const { Target, TargetHealth } of answer.TargetHealthDescriptions ?? []) {
      const before = states.get(Target?.Id ?? "");
      if (before === undefined || Target?.Id === undefined) continue;
      const found = readState(TargetHealth?.State, [TargetHealth?.Reason, TargetHealth?.Description]);
      if (before.state === "gone" || RANKS.indexOf(found.state) < RANKS.indexOf(before.state))
        states.set(Target.Id, found);
    }
    return states;
  }

  /**
   * Lets open connections end and sends no new ones. A machine that is not registered is no mistake.
   * @throws AwsFailure
   */
  async deregister(targetGroup: string, instanceIds: readonly string[]): Promise<void> {
    const { DeregisterTargetsCommand } = await import("./load-balancer-sdk.js");
    const client = await this.#connect();
    const TargetGroupArn = targetGroup.startsWith("arn:") ? targetGroup : await this.#arnOf(targetGroup);
    const Targets = instanceIds.map((Id) => ({ Id }));
    await asked("elasticloadbalancing:DeregisterTargets", () =>
      client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets })),
    );
  }

  async #arnOf(name: string): Promise<string> {
    const { DescribeTargetGroupsCommand } = await import("./load-balancer-sdk.js");
    const client = await this.#connect();
    const action = "elasticloadbalancing:DescribeTargetGroups";
    const answer = await asked(action, () => client.send(new DescribeTargetGroupsCommand({ Names: [name] })));
    const arn = answer.TargetGroups?.find(({ TargetGroupName }) => TargetGroupName === name)?.TargetGroupArn;
    if (arn !== undefined) return arn;
    throw new AwsFailure("not-found", `no target group ${name}; correct the name, the region or the account`);
  }

  /** Credentials are looked up once a client. */
  async #connect(): Promise<ElasticLoadBalancingV2Client> {
    const { ElasticLoadBalancingV2Client } = await import("./load-balancer-sdk.js");
    return (this.#client ??= new ElasticLoadBalancingV2Client(clientSettings(this.settings)));
  }
}

async function asked<T>(action: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw awsFailure(error, action);
  }
}

/** What is neither drained for certain nor healthy for certain counts as unhealthy: it holds both ways. */
function readState(state: string | undefined, words: readonly (string | undefined)[]): TargetState {
  const reason = words.filter((word) => word !== undefined && word !== "").join(": ");
  switch (state) {
    case "unused":
    case "draining":
    case "healthy":
    case "unhealthy":
    case "initial":
      return { state, reason };
    case "unhealthy.draining":
      return { state: "draining", reason };
    default:
      return { state: "unhealthy", reason: [state ?? "no state", reason].filter(Boolean).join(": ") };
  }
}
