import type { Deployed, DeployedHost } from "./deployed.js";
import { groupsOf, machineSettings, subnetOf, type Group } from "./groups.js";
import { isNew } from "./pending.js";
import { userData } from "./user-data.js";
import type { Spec } from "./yaml/schema.js";

/** A group with machines that were made with another value of something that the whole cluster shares. */
export interface Differing {
  readonly group: string;
  /** Keys below `aws`, and `userData` for what this program writes there. */
  readonly keys: string[];
}

/** Every standing group that a value of the cluster has not reached: no template names it, so it waits for the next roll. */
export function differingGroups(spec: Spec, { groups }: Deployed): Differing[] {
  return groupsOf(spec).flatMap((group) => {
    const current = groups.get(group.name);
    if (!current || group.retires || isNew(current)) return [];
    const keys = new Set(current.hosts.flatMap((host) => differingKeys(host, group, spec)));
    return keys.size > 0 ? [{ group: group.name, keys: [...keys] }] : [];
  });
}

function differingKeys(host: DeployedHost, group: Group, spec: Spec): string[] {
  const told = host.userData?.split("\n") ?? [];
  const lines = userData(spec.name, { ...host, pool: group.pool, group: group.name }).split("\n");
  // An override may have added lines of its own; of a digest nothing can be said.
  const isToldOtherwise =
    spec.platform === "aws" && told.length > 1 && !lines.every((line) => told.includes(line));
  return [...otherSettings(host, group, spec), ...(isToldOtherwise ? ["userData"] : [])];
}

type Settings = {
  readonly [Key in "subnetId" | "keyName" | "instanceProfile" | "securityGroupIds"]?:
    DeployedHost[Key] | undefined;
};

/** What a machine has otherwise than the spec says, by keys below `aws`. What is not known is not counted. */
export function otherSettings(host: Settings, { index }: Pick<Group, "index">, spec: Spec): string[] {
  if (spec.platform !== "aws") return [];
  const { keyName, instanceProfile, securityGroupIds: ids } = machineSettings(spec.aws);
  const { subnetId, securityGroupIds = ids } = host;
  const differs = {
    subnetIds: subnetId !== undefined && subnetId !== subnetOf(spec, index),
    keyName: host.keyName !== undefined && host.keyName !== keyName,
    instanceProfile: host.instanceProfile !== undefined && host.instanceProfile !== instanceProfile,
    // Nobody knows the id of the cluster's own before it is made, so one more than the spec names is as it has to be.
    securityGroupIds:
      securityGroupIds.length > ids.length || ids.slice(1).some((id) => !securityGroupIds.includes(id)),
  };
  return Object.entries(differs).flatMap(([key, isOther]) => (isOther ? [key] : []));
}
