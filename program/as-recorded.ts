import { Ec2Machines } from "../clients/aws/ec2.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import type { DeployedVolume } from "../cluster/deployed.js";
import { findGroup } from "../cluster/find-group.js";
import { UserError } from "../cluster/user-error.js";
import { performanceChanges } from "../cluster/volume-changes.js";

/**
 * Whether EC2 has the machines of a group as the state has them: those and no others, each running with its data volume
 * attached. It is one question, where a refresh by Terraform asks some ten for each machine. What it does not tell is asked of
 * Terraform: of volumes that are to change, and of those whose machines are gone.
 */
export async function isAsRecorded({ spec, deployed }: ClusterState, group: string): Promise<boolean> {
  const current = deployed.groups.get(group);
  if (spec.platform !== "aws" || !current || current.tainted.length + current.deposed.length > 0)
    return false;
  const { wantedVolume: wanted } = findGroup(spec, group);
  const isKept = (volume: DeployedVolume): boolean =>
    current.hosts.some(({ number }) => number === volume.host) &&
    (wanted === undefined ||
      (volume.sizeGib === wanted.sizeGib &&
        volume.type === wanted.type &&
        performanceChanges(volume, wanted).length === 0));
  if (!current.volumes.every(isKept)) return false;
  try {
    const found = await new Ec2Machines({ region: spec.aws.region }).find(spec.name, { group });
    const machines = new Map(found.map((machine) => [machine.instanceId, machine]));
    const isThere = (number: number, id: string): boolean => {
      const { state, volumes = [] } = machines.get(id) ?? {};
      const own = current.volumes.filter(({ host }) => host === number);
      return state === "running" && own.every((volume) => volumes.includes(volume.id ?? ""));
    };
    const { hosts } = current;
    return machines.size === hosts.length && hosts.every(({ number, id = "" }) => isThere(number, id));
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
