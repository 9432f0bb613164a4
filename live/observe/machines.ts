import type { Ec2Machine } from "../../clients/aws/ec2.js";
import type { TargetState } from "../../clients/aws/load-balancer.js";
import {
  isUnknown,
  type Machine,
  type Observed,
  type Target,
} from "../../rollout/observation/observation.js";
import { UserError } from "../../cluster/user-error.js";
import { ask, oneOf } from "./ask.js";

const STATES = ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"] as const;

/**
 * The cluster's machines. One of the group whose name cannot be read would make it look as if a host had none, so then
 * nothing is known.
 */
export function groupMachines(found: readonly Ec2Machine[], group: string): Machine[] {
  const nameless = found.filter(
    (machine) => machine.host === undefined && machine.group === group && machine.state !== "terminated",
  );
  if (nameless.length > 0) {
    throw new UserError(
      `EC2 has machines of ${group} whose tag Name does not fit: ${nameless.map(({ instanceId }) => instanceId).join(", ")}; give them the tag that Terraform gave, or end them`,
    );
  }
  return found.flatMap(({ host, instanceId, image, state }) =>
    host === undefined
      ? []
      : [{ host, id: instanceId, image, state: oneOf(STATES, state, `the state of ${instanceId}`) }],
  );
}

/** What the load balancer makes of the machines of a group; none of them once they are all deregistered. */
export async function targetsOf(
  machines: Observed<readonly Machine[]>,
  hosts: (host: string) => boolean,
  states: (ids: readonly string[]) => Promise<ReadonlyMap<string, TargetState>>,
): Promise<Observed<readonly Target[]>> {
  if (isUnknown(machines))
    return { unknown: `which machines to ask about is not known: ${machines.unknown}` };
  const own = machines.filter(({ host }) => hosts(host));
  return ask(async () => {
    const found = await states(own.map(({ id }) => id));
    return own.flatMap(({ id, host }): Target[] => {
      const target = found.get(id);
      if (target === undefined || target.state === "gone") return [];
      const { state, reason } = target;
      return [{ host, state, ...(reason === "" ? {} : { reason }) }];
    });
  });
}
