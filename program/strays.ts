import { type Ec2Machine, Ec2Machines } from "../clients/aws/ec2.js";
import { ClientError, UnreachableError } from "../clients/http/errors.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { describeOrigin } from "../cluster/deployed.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";

/**
 * Looks for machines that carry the cluster's tags and are in no state, as an apply leaves behind that was killed with a remote
 * state: a plan would make a second one of the same name beside each. They are never ended here: whoever looks knows better.
 * @param view what is to be planned: a group, whose machines alone count, or `cluster`
 * @returns a warning where that cannot be told
 * @throws UserError naming each, and how it is ended; where that cannot be told and the state is empty, too
 */
export async function refuseStrays({ spec, deployed }: ClusterState, view: string): Promise<string[]> {
  if (spec.platform !== "aws") return [];
  const known = new Set([...deployed.groups.values()].flatMap(({ hosts }) => hosts.map(({ id }) => id)));
  const { region } = spec.aws;
  let machines: readonly Ec2Machine[];
  try {
    machines = await new Ec2Machines({ region }).find(spec.name, view === "cluster" ? {} : { group: view });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (deployed.addresses.size === 0)
      throw new UserError(
        `nothing is created: the state is empty, and EC2 cannot be asked whether ${spec.name} stands: ${error.message}`,
      );
    return [`warning: could not look for machines that belong to no state: ${error.message}`];
  }
  const strays = machines.filter(
    // A machine of the user's own may carry the tag of the cluster, which the AWS policy asks for, and is of no group.
    ({ group, instanceId, state }) => group !== "" && !known.has(instanceId) && state !== "shutting-down",
  );
  if (deployed.addresses.size === 0 && strays.length > 0)
    throw secondCluster(
      { spec, deployed },
      "EC2",
      strays.map(({ host, group, instanceId }) => `${host ?? group} (${instanceId})`),
    );
  const describe = ({ instanceId, host, group, image, state, launchTime, privateIp }: Ec2Machine): string =>
    `${instanceId} (${host ?? group}, ${image}, ${state}, ${privateIp ?? "no address"}, of ${launchTime?.toISOString() ?? "an unknown time"}): unless an apply is making it, or another cluster of this name has it, and once its work and its agents have left, run: aws ec2 terminate-instances --region ${region} --instance-ids ${instanceId}`;
  const what = "machines that belong to no state, as an apply leaves behind that was killed";
  // The roll itself ends what is deposed, and the state tells no id of it.
  const isDeposed = ({ group }: Ec2Machine): boolean => (deployed.groups.get(group)?.deposed.length ?? 0) > 0;
  const refused = strays.filter((stray) => !isDeposed(stray));
  if (refused.length === 0)
    return strays.map((stray) => `warning: ${stray.group} may have ${what}: ${describe(stray)}`);
  const refusal = `${view === "cluster" ? spec.name : view} has ${what}; nothing is done while they are there:`;
  throw new UserError([refusal, ...refused.map(describe)].join("\n  "));
}

/** The refusal where a Consul answers, so that the cluster may stand, and does not say so; nobody answers of one that is new. */
export function unsaidSecond(error: unknown, { name }: Pick<Spec, "name">): UserError | undefined {
  if (!(error instanceof ClientError) || error instanceof UnreachableError) return undefined;
  return new UserError(
    `nothing is created: the state is empty, and a Consul answers and does not say whether it knows ${name}: ${error.message}`,
  );
}

/** The refusal to create a cluster that somebody else knows already. */
export const secondCluster = (
  { spec, deployed }: ClusterState,
  who: "EC2" | "Consul",
  machines: readonly string[],
): UserError =>
  new UserError(
    `nothing is created: ${who} knows machines of ${spec.name}, and deployed is ${describeOrigin(deployed.origin)}: ${machines.toSorted().join(", ")}; where this cluster is there, correct the spec's backend; where another has its name, take another name; end what is left of one that is gone`,
  );
