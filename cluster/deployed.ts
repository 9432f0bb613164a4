import { hostAddress, type PlatformName } from "./address.js";
import { groupsOf, hostNames, machineSettings, subnetOf, type Role } from "./groups.js";
import { ownSettings, templateOf } from "./template-hash.js";
import type { Spec } from "./yaml/schema.js";
import type { Completed, Revision } from "./revision.js";
import type { GroupIndex } from "./three.js";

/** What is deployed, as far as this program looks at it. */
export interface Deployed {
  readonly origin: Origin;
  /** The cluster that the state belongs to; absent in an empty one. */
  readonly cluster?: string;
  /** By name. A group that is not here has nothing deployed. */
  readonly groups: ReadonlyMap<string, DeployedGroup>;
  /** The address of every resource that is managed, members of groups and shared parts alike. */
  readonly addresses: ReadonlySet<string>;
  /** The ids of groups' members, by address; absent where no state was read. */
  readonly ids?: ReadonlyMap<string, string>;
}

/** Where {@link Deployed} was read. Always shown, never guessed. */
export type Origin =
  | {
      readonly kind: "state";
      readonly where: string;
      readonly serial: number;
      readonly lineage: string;
      /** A copy that was named for a review: never for a plan or a deploy. */
      readonly copy?: true;
    }
  | { readonly kind: "spec"; readonly where: string };

/** Whether what is deployed was taken from somewhere else than the state itself, so that nothing may be deployed by it. */
export const isForReview = (origin: Origin): boolean => origin.kind === "spec" || origin.copy === true;

/** `terraform.demo.tfstate, serial 12` */
export function describeOrigin(origin: Origin): string {
  if (origin.kind === "spec") return `${origin.where} (for a review, not the state)`;
  if (origin.lineage === "")
    return `${origin.where}, which is empty (a backend that is named wrong looks the same)`;
  return `${origin.where}, serial ${String(origin.serial)}${origin.copy ? " (a copy, for a review)" : ""}`;
}

/** A group as it is deployed. */
export interface DeployedGroup {
  readonly name: string;
  readonly pool: string;
  readonly index: GroupIndex;
  readonly role: Role;
  /** The hosts that are there, by number. */
  readonly hosts: readonly DeployedHost[];
  /** The data volumes that are there, those of hosts that are gone included. */
  readonly volumes: readonly DeployedVolume[];
  /** Oldest first; empty for a group that was never ready: it is new. */
  readonly revisions: readonly Revision[];
  /** What `ready` was passed for; absent when it is not there. */
  readonly ready?: ReadyRecord | undefined;
  /** Which hooks have ended; absent where the group was last rolled by a version that did not record it. */
  readonly completed?: Completed | undefined;
  /** Whether `leave` is there. It is not once the group has left. */
  readonly leave: boolean;
  /** What it was made for; absent when it is not there. */
  readonly leaveFor?: LeaveRecord | undefined;
  /** Addresses of tainted members. */
  readonly tainted: readonly string[];
  /** Addresses of hosts whose machines were seen dead: their work has left with them. No state says it. */
  readonly dead?: readonly string[];
  /** The names of its machines that work, servers in the order in which they go, as the driver has seen them. Default: all, by number. */
  readonly order?: readonly string[];
  /** Addresses with an old object that is still to be destroyed. */
  readonly deposed: readonly string[];
}

export interface DeployedHost {
  /** Counted from 0 in its group. */
  readonly number: number;
  /** `broker-0-1` */
  readonly name: string;
  /** The machine's id; absent when read from a spec. */
  readonly id?: string;
  readonly image: string;
  readonly instanceType: string;
  /** The template hash that the machine was made from. */
  readonly hash: string;
  readonly subnetId?: string;
  /** Undefined is what is not known, empty is none. */
  readonly keyName?: string | undefined;
  readonly instanceProfile?: string | undefined;
  /** The cluster's own among them. */
  readonly securityGroupIds?: readonly string[] | undefined;
  /** Its text or, as older providers have it, a digest. */
  readonly userData?: string | undefined;
  /** The ids of host and Consul servers that the machine was configured with; absent when `config_consul` is not there. */
  readonly configConsul?: ConfigConsul | undefined;
  /** Absent when it is not there. */
  readonly startAgents?: { readonly attempt?: number | undefined } | undefined;
}

export interface DeployedVolume {
  /** The number of the host that the volume belongs to. */
  readonly host: number;
  /** Absent when read from a spec. */
  readonly id?: string;
  readonly sizeGib: number;
  readonly type: string;
  /** Absent where the platform gives it none. */
  readonly iops?: number | undefined;
  /** MiB a second. Absent where the platform gives it none. */
  readonly throughput?: number | undefined;
  readonly zone?: string;
}

interface ConfigConsul {
  readonly host: string;
  readonly servers: string;
  readonly attempt?: number | undefined;
  /** Which roll of Consul servers the machine was told of. */
  readonly consul?: number | undefined;
}

/** The template since which no machine has left; the names of the hosts that stay, and of those that wait, joined by commas. */
interface LeaveRecord extends Readonly<Partial<Record<"hash" | "hosts" | "waiting", string | undefined>>> {
  readonly attempt?: number | undefined;
}

interface ReadyRecord {
  /** The ids of the group's hosts, joined by commas in the hosts' order. */
  readonly hosts: string;
  readonly hash: string;
  readonly gate: string;
  readonly attempt?: number | undefined;
}

/** The same, where machines of a group were seen dead: as good as tainted. Those that are in no state any more do not count. */
export function withDead(
  deployed: Deployed,
  {
    name,
    platform,
    ids,
  }: { readonly name: string; readonly platform: PlatformName; readonly ids: ReadonlySet<string> },
): Deployed {
  const group = deployed.groups.get(name);
  const dead = (group?.hosts ?? [])
    .filter(({ id = "" }) => ids.has(id))
    .map(({ number }) => hostAddress(platform, name, number, "host"));
  if (!group || dead.length === 0) return deployed;
  const marked = { ...group, dead, tainted: [...group.tainted, ...dead] };
  return { ...deployed, groups: new Map([...deployed.groups, [name, marked]]) };
}

/** Nothing at all, as an empty state says. */
export function nothingDeployed(origin: Origin): Deployed {
  return { origin, groups: new Map(), addresses: new Set() };
}

/**
 * What would be deployed if a spec had been rolled out completely: a baseline for a review without credentials.
 * @param addresses every address that the spec declares
 */
export function deployedFromSpec(spec: Spec, where: string, addresses: ReadonlySet<string>): Deployed {
  const staying = groupsOf(spec).filter(({ retires }) => !retires);
  const groups = staying.map((group): DeployedGroup => {
    const { name, pool, index, role, image, instanceType, hash, generation, wantedVolume } = group;
    const subnetId = subnetOf(spec, index);
    const template = {
      ...{ image, instanceType, hash },
      ...(subnetId === undefined ? {} : { subnetId }),
      ...(spec.platform === "aws" ? machineSettings(spec.aws, group) : {}),
    };
    const isOwn = Object.keys(ownSettings(group)).length > 0;
    const hosts = hostNames(group).map((host, number) => ({ number, name: host, ...template }));
    return {
      name,
      pool,
      index,
      role,
      hosts,
      volumes: wantedVolume ? hosts.map(({ number: host }) => ({ host, ...wantedVolume })) : [],
      revisions: [
        {
          number: 0,
          image,
          hash,
          generation,
          cause: where,
          ...(isOwn ? { template: templateOf(group) } : {}),
        },
      ],
      leave: true,
      tainted: [],
      deposed: [],
    };
  });
  return {
    origin: { kind: "spec", where },
    cluster: spec.name,
    groups: new Map(groups.map((group) => [group.name, group])),
    addresses,
  };
}
