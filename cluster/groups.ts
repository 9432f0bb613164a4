import { groupName, hostName } from "./address.js";
import type { AwsSettings, DataVolume, LoadBalancer, PoolSpec, Spec } from "./yaml/schema.js";
import {
  ownSettings,
  templateHash,
  type OwnSettings,
  type Template,
  type UserDataFile,
} from "./template-hash.js";
import { sha256 } from "./sha256.js";
import { UserError } from "./user-error.js";
import { GROUP_INDEXES, mapThree, type GroupIndex, type Three } from "./three.js";

export type Role = "consul-server" | "nomad-server" | "client";

/** A pool as the spec wants it. */
export interface Pool {
  readonly name: string;
  readonly role: Role;
  readonly workload: "moves" | "stays";
  readonly loadBalancer?: LoadBalancer;
  /** What becomes of its data volumes once no machine is left of it; absent for a pool that stays. */
  readonly retire?: "keep-volumes" | "delete-volumes";
  readonly groups: Three<Group>;
}

/** A group as the spec wants it: desired, in the words of Kubernetes. */
export interface Group extends Template {
  readonly pool: string;
  readonly index: GroupIndex;
  /** `broker-0` */
  readonly name: string;
  readonly role: Role;
  /** What is wanted of its data volumes: `dataVolume` has the size that the group is recorded with. */
  readonly wantedVolume?: DataVolume;
  /** How many; none, where its pool retires. */
  readonly hosts: number;
  /** Whether a roll makes new machines beside the old ones. */
  readonly surges?: true;
  /** Their numbers, where what is deployed says that they are others than 0, 1, 2 and so on. */
  readonly numbers?: readonly number[];
  readonly retires: boolean;
  readonly hash: string;
}

export function roleOf(pool: string): Role {
  return pool === "consul-server" || pool === "nomad-server" ? pool : "client";
}

/**
 * The pools in the order in which they are created and rolled: Consul servers, Nomad servers, client pools as written.
 * They are worked out once, and the pools of the spec are frozen by it: whoever edits a spec edits a copy.
 */
export function poolsOf(spec: Spec): readonly Pool[] {
  const known = poolsOfSpec.get(spec.pools);
  if (known && known.sizes === spec.recordedSizes) return known.pools;
  freeze(spec.pools);
  const names = Object.keys(spec.pools);
  const clients = names.filter((name) => roleOf(name) === "client");
  const pools = ["consul-server", "nomad-server", ...clients].map((name) => poolOf(name, spec));
  poolsOfSpec.set(spec.pools, { pools, sizes: spec.recordedSizes });
  return pools;
}

/** Each rule, and each look of a roll, asks for the groups of the same spec. */
const poolsOfSpec = new WeakMap<
  Spec["pools"],
  { readonly pools: readonly Pool[]; readonly sizes: Spec["recordedSizes"] }
>();

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}

/** All groups, in the order of {@link poolsOf}. */
export function groupsOf(spec: Spec): Group[] {
  return poolsOf(spec).flatMap((pool) => pool.groups);
}

/** The numbers of the hosts that a group is to have. */
export const numbersIn = ({ hosts, numbers }: Pick<Group, "hosts" | "numbers">): readonly number[] =>
  numbers ?? fromZero(hosts);

export const fromZero = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** The names of the hosts that a group is to have. */
export const hostNames = (group: Pick<Group, "name" | "hosts" | "numbers">): string[] =>
  numbersIn(group).map((number) => hostName(group.name, number));

/** How many servers of a role there are to be in all. */
export const serversOf = (spec: Spec, role: Role): number =>
  groupsOf(spec).reduce((sum, group) => sum + (group.role === role ? group.hosts : 0), 0);

/** The subnet that the spec gives the machines of a group; undefined where they have none. */
export const subnetOf = (spec: Spec, index: GroupIndex): string | undefined =>
  spec.platform === "aws" ? spec.aws.subnetIds[index] : undefined;

/** What all machines share and each takes when it is made, as a state says it, with what their group has of its own. */
export const machineSettings = (aws: AwsSettings, own: OwnSettings) => ({
  keyName: aws.keyName ?? "",
  instanceProfile: own.instanceProfile ?? aws.instanceProfile ?? "",
  securityGroupIds: ["aws_security_group.cluster", ...furtherGroups(aws, own)],
});

/** The security groups of machines beside the cluster's own, each once. */
export const furtherGroups = ({ securityGroupIds: all = [] }: AwsSettings, own: OwnSettings): string[] => [
  ...all,
  ...(own.securityGroupIds ?? []).filter((id) => !all.includes(id)),
];

function poolOf(name: string, spec: Spec): Pool {
  const settings = settingsOf(name, spec);
  const role = roleOf(name);
  return {
    name,
    role,
    workload: settings.workload ?? "moves",
    ...(settings.loadBalancer ? { loadBalancer: settings.loadBalancer } : {}),
    ...(settings.retire ? { retire: settings.retire } : {}),
    groups: mapThree(GROUP_INDEXES, (index) => {
      const group = groupName(name, index);
      const wantedVolume = settings.dataVolumes?.[index];
      const dataVolume = wantedVolume && {
        sizeGib: spec.recordedSizes?.[group] ?? wantedVolume.sizeGib,
        type: wantedVolume.type,
      };
      const rootVolume = settings.rootVolumes?.[index];
      const template = {
        image: settings.images[index],
        instanceType: settings.instanceTypes[index],
        ...(dataVolume ? { dataVolume } : {}),
        ...(rootVolume ? { rootVolume } : {}),
        ...ownOf(settings, index, spec),
        generation: settings.generations?.[index] ?? 0,
      };
      return {
        ...template,
        pool: name,
        index,
        name: group,
        role,
        ...(wantedVolume ? { wantedVolume } : {}),
        hosts: settings.retire ? 0 : (settings.hosts?.[index] ?? 1),
        retires: settings.retire !== undefined,
        ...((settings.maxSurge ?? 0) > 0 ? { surges: true as const } : {}),
        hash: templateHash(template),
      };
    }),
  };
}

/** An entry that says nothing counts for nothing, so that a pool can get a key for one of its groups at a time. */
function ownOf(settings: ReturnType<typeof settingsOf>, index: GroupIndex, spec: Spec): OwnSettings {
  const { instanceProfiles, securityGroupIds, tags, userData } = settings;
  const [profile, file] = [instanceProfiles?.[index] ?? null, userData?.[index] ?? null];
  return ownSettings({
    ...(profile === null ? {} : { instanceProfile: profile }),
    ...(securityGroupIds ? { securityGroupIds: securityGroupIds[index] } : {}),
    ...(tags ? { tags: tags[index] } : {}),
    ...(file === null ? {} : { userData: fileOf(file, spec) }),
  });
}

/** @throws UserError where the text of the file is not with the spec: it came into it at this very moment */
function fileOf(file: string, { userData = {} }: Spec): UserDataFile {
  const text = Object.hasOwn(userData, file) ? userData[file] : undefined;
  if (text !== undefined) return { file, sha256: sha256(text) };
  throw new UserError(`${file} was not read, since the spec was edited at this very moment; run this again`);
}

/** What a pool says of itself; a server pool has no more than machines and a gate. */
export function settingsOf(
  pool: string,
  spec: Spec,
): Partial<PoolSpec> & Pick<PoolSpec, "images" | "instanceTypes" | "ready" | "bake" | "steps"> {
  const settings = spec.pools[pool];
  if (settings === undefined) throw new Error(`no pool ${pool} in the spec`);
  return settings;
}
