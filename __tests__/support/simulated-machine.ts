import { hostName } from "../../cluster/address.js";
import { groupsOf, hostNames, type Group } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import type { MachineSettings } from "../../packages/simulator/machine.js";

/** What an image and its Terraform resource say of a machine, and how its agents are set up: all but where it is. */
export function imageOf(
  cluster: string,
  group: Group,
  host: number,
): Omit<MachineSettings, "address" | "retryJoin"> {
  const name = hostName(group.name, host);
  return {
    name,
    role: group.role,
    leaveOnInterrupt: true,
    meta: {
      rollout_cluster: cluster,
      rollout_pool: group.pool,
      rollout_group: group.name,
      rollout_host: name,
      rollout_image: group.image,
      rollout_template_hash: group.hash,
    },
  };
}

/** A machine of a spec's cluster, which knows the first Consul server of each group. */
export function simulatedMachine(spec: Spec, group: Group, host: number): MachineSettings {
  const servers = groupsOf(spec).filter(({ role }) => role === "consul-server");
  return {
    ...imageOf(spec.name, group, host),
    address: addressOf(group, host),
    retryJoin: servers.map((server) => addressOf(server, 0)),
  };
}

/** All machines of a spec's cluster. */
export const simulatedMachines = (spec: Spec): MachineSettings[] =>
  groupsOf(spec).flatMap((group) => hostNames(group).map((_, host) => simulatedMachine(spec, group, host)));

/** A machine of a spec's cluster, by its name. */
export function machineNamed(spec: Spec, name: string): MachineSettings {
  const found = simulatedMachines(spec).find((machine) => machine.name === name);
  if (!found) throw new Error(`no machine ${name}`);
  return found;
}

/** One network a pool and group, so that a machine keeps its address when it is replaced. */
function addressOf({ pool, index }: Group, host: number): string {
  const network = Buffer.from(pool).reduce((sum, byte) => (sum * 31 + byte) % 200, 7);
  return `10.${String(network)}.${String(index)}.${String(host + 1)}`;
}
