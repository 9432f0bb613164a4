import type { GroupIndex } from "./three.js";

/**
 * Where a Terraform resource belongs, by its name. Names are an external contract: `broker-0-1` is host 1 of group 0
 * of pool broker, `broker-0-1-config-consul` hangs on that host, `broker-0-leave` belongs to the whole group. No part of a
 * pool's name is a number (the schema sees to it), so a name has exactly one reading: `broker-1` and `broker-10` never mix.
 */
export interface Member {
  readonly pool: string;
  readonly index: GroupIndex;
  /** The group's name, `broker-0`. */
  readonly group: string;
  readonly kind: MemberKind;
  /** The host's number in its group, counted from 0; absent for what belongs to the whole group. */
  readonly host?: number;
}

export const HOST_KINDS = [
  "host",
  "data",
  "data-attachment",
  "stop-agents",
  "start-agents",
  "config-consul",
  /** Of earlier versions: a state may hold it, and nothing declares it. */
  "lb-drained",
  "target",
] as const;
export const GROUP_KINDS = ["leave", "ready", "revision"] as const;

export type HostKind = (typeof HOST_KINDS)[number];
export type GroupKind = (typeof GROUP_KINDS)[number];
export type MemberKind = HostKind | GroupKind;

export const PLATFORMS = ["aws", "local"] as const;

export type PlatformName = (typeof PLATFORMS)[number];

const AWS_TYPES: Readonly<Record<MemberKind, string>> = {
  host: "aws_instance",
  data: "aws_ebs_volume",
  "data-attachment": "aws_volume_attachment",
  // On platform local alone: elsewhere a machine starts and stops its agents itself.
  "stop-agents": "terraform_data",
  "start-agents": "terraform_data",
  "config-consul": "null_resource",
  "lb-drained": "null_resource",
  target: "aws_lb_target_group_attachment",
  leave: "null_resource",
  ready: "null_resource",
  revision: "terraform_data",
};

/** The Terraform type that a kind of member has on a platform. */
export function memberType(platform: PlatformName, kind: MemberKind): string {
  return platform === "aws" ? AWS_TYPES[kind] : "terraform_data";
}

export const groupName = (pool: string, index: GroupIndex): string => `${pool}-${String(index)}`;

export const hostName = (group: string, host: number): string => `${group}-${String(host)}`;

/** The Terraform name of a member of a host: `broker-0-1`, `broker-0-1-config-consul`. */
export function hostMemberName(group: string, host: number, kind: HostKind): string {
  return kind === "host" ? hostName(group, host) : `${hostName(group, host)}-${kind}`;
}

/** The Terraform name of a member of a group: `broker-0-leave`. */
export const groupMemberName = (group: string, kind: GroupKind): string => `${group}-${kind}`;

export function hostAddress(platform: PlatformName, group: string, host: number, kind: HostKind): string {
  return `${memberType(platform, kind)}.${hostMemberName(group, host, kind)}`;
}

export function groupAddress(platform: PlatformName, group: string, kind: GroupKind): string {
  return `${memberType(platform, kind)}.${groupMemberName(group, kind)}`;
}

const POOL = "(?<pool>[a-z][a-z0-9]*(?:-(?!\\d+(?:-|$))[a-z0-9]+)*)";
const GROUP_NAME = new RegExp(`^${POOL}-(?<index>[0-2])$`);
const MEMBER_NAME = new RegExp(
  `^${POOL}-(?<index>[0-2])(?:-(?<host>0|[1-9]\\d{0,5})(?:-(?<hostKind>${HOST_KINDS.slice(1).join("|")}))?|-(?<groupKind>${GROUP_KINDS.join("|")}))$`,
);

/** Takes `broker-0` apart; undefined for anything that is no group's name. */
export function parseGroupName(name: string): { pool: string; index: GroupIndex } | undefined {
  const found = GROUP_NAME.exec(name)?.groups;
  return found ? { pool: found["pool"] ?? "", index: Number(found["index"]) as GroupIndex } : undefined;
}

/** Takes the name of a host apart, such as `broker-0-1`; undefined for anything else. */
export const parseHostName = (name: string): Member | undefined =>
  parseAddress(`${memberType("aws", "host")}.${name}`);

/** Reads an address such as `aws_instance.broker-0-1`; undefined for whatever is no member of a group. */
export function parseAddress(address: string): Member | undefined {
  const [type, name, ...rest] = address.split(".");
  if (type === undefined || name === undefined || rest.length > 0) return undefined;
  const found = MEMBER_NAME.exec(name)?.groups;
  if (!found) return undefined;
  const kind = (found["groupKind"] ?? found["hostKind"] ?? "host") as MemberKind;
  if (PLATFORMS.every((platform) => type !== memberType(platform, kind))) return undefined;
  const pool = found["pool"] ?? "";
  const index = Number(found["index"]) as GroupIndex;
  const member = { pool, index, group: groupName(pool, index), kind };
  return found["host"] === undefined ? member : { ...member, host: Number(found["host"]) };
}
