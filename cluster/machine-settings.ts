import { createHash } from "node:crypto";
import type { Deployed, DeployedHost } from "./deployed.js";
import { groupsOf, machineSettings, subnetOf, type Group } from "./groups.js";
import { isNew } from "./pending.js";
import type { OwnSettings } from "./template-hash.js";
import { groupUserData, userData } from "./user-data.js";
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
    // What a group has of its own is of its template, and no value of the cluster.
    const asMade = ({ hash }: DeployedHost): OwnSettings =>
      hash === group.hash
        ? group
        : (current.revisions.findLast((each) => each.hash === hash)?.template ?? {});
    const keys = new Set(current.hosts.flatMap((host) => differingKeys(host, group, asMade(host), spec)));
    return keys.size > 0 ? [{ group: group.name, keys: [...keys] }] : [];
  });
}

function differingKeys(host: DeployedHost, group: Group, own: OwnSettings, spec: Spec): string[] {
  const told = host.userData?.split("\n") ?? [];
  const lines = userData(spec.name, { ...host, pool: group.pool, group: group.name }).split("\n");
  // An override may have added lines of its own; of a digest nothing can be said.
  const isToldOtherwise =
    spec.platform === "aws" && told.length > 1 && !lines.every((line) => told.includes(line));
  return [
    ...otherSettings(host, { index: group.index, ...own }, spec),
    ...(isToldOtherwise ? ["userData"] : []),
  ];
}

/** What a machine has of what its group may have of its own. */
export interface OwnOfHost {
  readonly instanceProfile?: string | undefined;
  readonly securityGroupIds?: readonly string[];
  readonly tags?: Readonly<Record<string, unknown>>;
  /** Its text or, as older providers have it, a digest. */
  readonly userData?: string | undefined;
}

/** What a machine that is made has otherwise than its group is to have of its own, by keys of a pool. */
export function otherOwn(host: OwnOfHost, group: Group, name: string, spec: Spec): string[] {
  if (spec.platform !== "aws") return [];
  const { instanceProfile: profile, securityGroupIds: ids = [], tags = {}, userData } = group;
  const told = userData ? groupUserData(spec, group, name) : "";
  const digest = (): string => createHash("sha1").update(told).digest("hex");
  const differs = {
    instanceProfiles: profile !== undefined && host.instanceProfile !== profile,
    // Unknown as long as the cluster's own group is not made.
    securityGroupIds: host.securityGroupIds && ids.some((id) => !host.securityGroupIds?.includes(id)),
    // An aspect may add some.
    tags: Object.entries(tags).some(([key, value]) => host.tags?.[key] !== value),
    userData: userData !== undefined && host.userData !== told && host.userData !== digest(),
  };
  return Object.entries(differs).flatMap(([key, isOther]) => (isOther === true ? [key] : []));
}

type Settings = {
  readonly [Key in "subnetId" | "keyName" | "instanceProfile" | "securityGroupIds"]?:
    DeployedHost[Key] | undefined;
};

/** What a machine has otherwise than the spec says, by keys below `aws`. What is not known is not counted. */
export function otherSettings(
  host: Settings,
  group: Pick<Group, "index"> & OwnSettings,
  spec: Spec,
): string[] {
  if (spec.platform !== "aws") return [];
  const { index } = group;
  const { keyName, instanceProfile, securityGroupIds: ids } = machineSettings(spec.aws, group);
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
