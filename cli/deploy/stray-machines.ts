import { Ec2Machines } from "../../clients/aws/ec2.js";
import { UserError } from "../../cluster/user-error.js";
import type { Program } from "../../program/program.js";

/**
 * A line for each machine that carries the group's tags and is in no state, as an apply leaves behind that was killed with
 * a remote state. It is told of and never ended: whoever looks at it knows better.
 */
export async function strayMachines({ spec, deployed }: Program, group: string): Promise<string[]> {
  if (spec.platform !== "aws") return [];
  const known = new Set(deployed.groups.get(group)?.hosts.map(({ id }) => id));
  try {
    const machines = await new Ec2Machines({ region: spec.aws.region }).find(spec.name, { group });
    return machines
      .filter(({ instanceId, state }) => !known.has(instanceId) && state !== "shutting-down")
      .map(
        ({ instanceId, host, image, state }) =>
          `warning: the machine ${instanceId} (${host ?? group}, ${image}, ${state}) belongs to no state; look at it and terminate it by hand`,
      );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [`warning: could not look for machines that belong to no state: ${error.message}`];
  }
}
