import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { UserError } from "../../cluster/user-error.js";
import { awsFailure } from "./failure.js";
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

/** AWS's load balancers. Terraform registers and deregisters targets; what it has not taken out yet can be taken out and in here. */
export class LoadBalancer {
  #client: ElasticLoadBalancingV2Client | undefined;

  constructor(private readonly settings: AwsSettings = {}) {}

  /**
   * What the load balancer makes of some machines.
   * @param targetGroup its name
   * @param instanceIds all of them are in the answer
   * @throws UserError with AWS's reason
   */
  async targetStates(
    targetGroup: string,
    instanceIds: readonly string[],
  ): Promise<ReadonlyMap<string, TargetState>> {
    const { DescribeTargetHealthCommand } = await import("./load-balancer-sdk.js");
    const TargetGroupArn = await this.#arnOf(targetGroup);
    // All targets, since AWS refuses a question for a machine that it has forgotten.
    const answer = await this.#ask("DescribeTargetHealth", (client) =>
      client.send(new DescribeTargetHealthCommand({ TargetGroupArn })),
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
   * Lets open connections end and sends no new ones. A machine that is not registered is no mistake: AWS says that it
   * succeeds then, moto refuses all of them with 400 (InvalidTarget), and AWS, too, where the machine is gone. So they are
   * not asked for it.
   * @throws UserError with AWS's reason
   */
  async deregister(targetGroup: string, instanceIds: readonly string[]): Promise<void> {
    const { DeregisterTargetsCommand } = await import("./load-balancer-sdk.js");
    const states = await this.targetStates(targetGroup, instanceIds);
    const Targets = instanceIds.filter((id) => states.get(id)?.state !== "gone").map((Id) => ({ Id }));
    if (Targets.length === 0) return;
    const TargetGroupArn = await this.#arnOf(targetGroup);
    await this.#ask("DeregisterTargets", (client) =>
      client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets })),
    );
  }

  /** Sends requests to machines again. @throws UserError with AWS's reason */
  async register(targetGroup: string, instanceIds: readonly string[]): Promise<void> {
    const { RegisterTargetsCommand } = await import("./load-balancer-sdk.js");
    const TargetGroupArn = await this.#arnOf(targetGroup);
    const Targets = instanceIds.map((Id) => ({ Id }));
    await this.#ask("RegisterTargets", (client) =>
      client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets })),
    );
  }

  async #arnOf(targetGroup: string): Promise<string> {
    const { DescribeTargetGroupsCommand } = await import("./load-balancer-sdk.js");
    const { TargetGroups = [] } = await this.#ask("DescribeTargetGroups", (client) =>
      client.send(new DescribeTargetGroupsCommand({ Names: [targetGroup] })),
    );
    const arn = TargetGroups.find(({ TargetGroupName }) => TargetGroupName === targetGroup)?.TargetGroupArn;
    if (arn !== undefined) return arn;
    throw new UserError(`no target group ${targetGroup}; correct the name, the region or the account`);
  }

  /** Credentials are looked up once a client. */
  async #ask<T>(action: string, question: (client: ElasticLoadBalancingV2Client) => Promise<T>): Promise<T> {
    const { ElasticLoadBalancingV2Client } = await import("./load-balancer-sdk.js");
    this.#client ??= new ElasticLoadBalancingV2Client(clientSettings(this.settings));
    return question(this.#client).catch((error: unknown) => {
      throw awsFailure(error, `elasticloadbalancing:${action}`);
    });
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
