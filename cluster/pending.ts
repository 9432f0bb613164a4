import { groupAddress, hostAddress, HOST_KINDS, type HostKind, type PlatformName } from "./address.js";
import { hasUnended, isHostProven, isUntold, recordedIn } from "./completed.js";
import type { Deployed, DeployedGroup, DeployedHost } from "./deployed.js";
import { groupsOf, type Group, type Role } from "./groups.js";
import { hasNumber, withNumbers } from "./numbers.js";
import { emptiedPools } from "./retiring.js";
import { ownInWords, type OwnSettings } from "./template-hash.js";
import { performanceChanges } from "./volume-changes.js";
import type { Spec } from "./yaml/schema.js";

/**
 * A group that was never ready, and comes by the cluster view. One whose `ready` has passed was ready, also where its
 * record is gone: a lost record must not thaw it.
 */
export const isNew = (group: DeployedGroup | undefined): boolean =>
  group === undefined || (group.revisions.length === 0 && !hasPassed(group));

/** A gate that failed leaves a tainted `ready`. */
const hasPassed = ({ name, ready, tainted }: DeployedGroup): boolean =>
  ready !== undefined && !tainted.some((address) => address.endsWith(`.${name}-ready`));

/** The template hash that a group was last rolled to; undefined for a new one. */
export const deployedHash = (group: DeployedGroup | undefined): string | undefined =>
  group?.revisions.at(-1)?.hash ?? group?.ready?.hash;

/** How many hosts the group was last ready with: what `ready` was passed for, else the hosts that are there. */
export const deployedHosts = (group: DeployedGroup): number =>
  hostIds(group.ready?.hosts)?.length ?? group.hosts.length;

/** Whether machines of several templates stand side by side, as in the middle of a roll. */
export const isMixed = ({ hosts }: Pick<DeployedGroup, "hosts">): boolean =>
  hosts.some(({ hash }) => hash !== hosts[0]?.hash);

/** The deployed groups whose hash or number of hosts differs from the spec's, in the rollout's order. */
export function pendingGroups(spec: Spec, deployed: Deployed): Group[] {
  return groupsOf(spec).filter((group) => {
    const current = deployed.groups.get(group.name);
    if (!current || isNew(current)) return false;
    if (group.retires) return deployedHosts(current) > 0;
    return deployedHash(current) !== group.hash || deployedHosts(current) !== group.hosts;
  });
}

/**
 * Those of pending groups that count against `rollout.pendingGroups: one`: of those that are one change the first. A group
 * of the template that it had whose `ready` is gone with machines is no change: its repair was cut off, and refusing it would
 * leave it broken for ever.
 */
export function countedPending(spec: Spec, deployed: Deployed): Group[] {
  const pending = pendingGroups(spec, deployed).filter(
    (group) => !isBrokenRepair(group, deployed.groups.get(group.name)),
  );
  return pending.filter(
    (group, place) =>
      !isOfPool(group, deployed) ||
      pending.findIndex((each) => each.pool === group.pool && isOfPool(each, deployed)) === place,
  );
}

/**
 * Whether a pending group is part of one change of its pool: a pool that retires, which the user has confirmed as a whole, and
 * servers that become more or fewer, whose number is even in between.
 */
export const isOfPool = ({ name, role, retires, hash }: Group, { groups }: Deployed): boolean =>
  retires || (role !== "client" && deployedHash(groups.get(name)) === hash);

const isBrokenRepair = (group: Group, current: DeployedGroup | undefined): boolean =>
  current !== undefined &&
  (current.ready?.hosts ?? "") === "" &&
  current.revisions.at(-1)?.hash === group.hash &&
  current.hosts.length < group.hosts;

/** What differs between a deployed group and the desired one, for people: `ami-0aaa -> ami-0bbb`, `3 -> 4 hosts`. */
export function describePending(group: Group, deployed: DeployedGroup): string {
  if (group.retires) return `retires, ${String(deployedHosts(deployed))} -> 0 hosts`;
  const last = deployed.revisions.at(-1);
  const host = deployed.hosts[0];
  const volume = deployed.volumes[0];
  const disk = (of?: { sizeGib: number; type: string }): string =>
    of ? `${String(of.sizeGib)} GiB ${of.type}` : "no data volume";
  const changed = [
    ...change(last?.image, group.image),
    ...change(host?.instanceType, group.instanceType),
    ...change(`generation ${String(last?.generation ?? 0)}`, `generation ${String(group.generation)}`),
    ...change(disk(volume), disk(group.wantedVolume)),
    ...(volume && group.wantedVolume ? performanceChanges(volume, group.wantedVolume) : []),
    ...ownChanges(last?.template ?? {}, group),
    ...changeOfNumber(group, deployed),
  ];
  return changed.length > 0 ? changed.join(", ") : `template ${String(last?.hash)} -> ${group.hash}`;
}

/** In the middle of a surge a group has another number of machines than before it and after. */
function changeOfNumber(group: Group, deployed: DeployedGroup): string[] {
  const { hosts, completed } = deployed;
  if (!isMixed(deployed) || !(group.surges || completed?.numbers))
    return change(String(deployedHosts(deployed)), String(group.hosts), " hosts");
  const now = String(hosts.length);
  return hosts.length === group.hosts ? [] : [`${now} machines now, ${String(group.hosts)} once it is whole`];
}

const change = (from: string | undefined, to: string, unit = ""): string[] =>
  from === undefined || from === to ? [] : [`${from} -> ${to}${unit}`];

/** `tags team=data -> none`, each. */
export function ownChanges(from: OwnSettings, to: OwnSettings): string[] {
  const isRenamed = to.userData !== undefined && from.userData?.sha256 === to.userData.sha256;
  const was: Readonly<Record<string, string | undefined>> = ownInWords(
    isRenamed ? { ...from, userData: to.userData } : from,
  );
  return Object.entries(ownInWords(to)).flatMap(([name, value]) =>
    change(`${name} ${was[name] ?? "none"}`, value ?? "none").filter(() => was[name] !== value),
  );
}

/** A group whose roll has begun and not ended, and why that is known. */
export interface InFlight {
  readonly group: string;
  /** At least one, such as `terraform_data.broker-0-ready is missing`. */
  readonly reasons: readonly string[];
}

/**
 * The groups in flight, in the order in which they are to be finished: servers first, those without any machine before all
 * others. A group is in flight when one of its members is tainted, missing or deposed, or when its `ready` was not passed
 * for the hosts that are there. A `config_consul` that is not done belongs to the Consul group that is being rolled or was
 * rolled last, unless its own group is in flight.
 * @param pending the names of the groups whose roll may have begun: where one was cut off before anything of its own
 * went, only the others' `config_consul` are gone
 */
export function groupsInFlight(
  deployed: Deployed,
  platform: PlatformName,
  pending: readonly string[] = [],
): InFlight[] {
  if (deployed.origin.kind === "spec") return [];
  const standing = judgeStanding(deployed, platform);
  const own = new Set(standing.flatMap(({ group, isWhole }) => (isWhole ? [] : [group.name])));
  const unowned = notConfigured(standing, deployed, platform);
  const isOwned = unowned.length > 0 || isUntold(deployed);
  const known = standing.map(({ group }) => group);
  const owner = isOwned ? lastConsulGroup(known, own, pending) : undefined;
  return standing
    .map(({ group, reasons, isWhole }) => {
      const seen = group === owner ? [...reasons, ...unowned] : reasons;
      const isUnproven = seen.length === 0 && (!isWhole || group === owner);
      const revision = groupAddress(platform, group.name, "revision");
      return {
        group: group.name,
        reasons: isUnproven ? [`${revision} does not say that its hooks have ended`] : seen,
      };
    })
    .filter(({ reasons }) => reasons.length > 0);
}

/** A group that is not new, and what of its own roll is not done. */
interface Standing {
  readonly group: DeployedGroup;
  readonly reasons: readonly string[];
  /** Whether there is nothing of that, and its hooks have ended. */
  readonly isWhole: boolean;
}

const judgeStanding = (deployed: Deployed, platform: PlatformName): Standing[] =>
  [...deployed.groups.values()]
    .filter((group) => !isNew(group))
    .sort(byUrgency)
    .map((group) => {
      const reasons = unfinished(group, deployed, platform);
      return { group, reasons, isWhole: reasons.length === 0 && !hasUnended(group) };
    });

/**
 * {@link groupsInFlight} of a spec: the groups that it leaves pending are those whose roll may have begun. What is left of
 * a pool that retires is nobody's roll. Behind servers that are gone come groups of which nothing has to leave any more:
 * a leave is refused while another group is in flight, so the other way round neither could ever be finished. Before all comes
 * one whose machines were seen dead, for which the gate of another may wait.
 */
export function inFlightOf(spec: Spec, deployed: Deployed): InFlight[] {
  const pending = pendingGroups(spec, deployed).map(({ name }) => name);
  const emptied = new Set(
    emptiedPools(spec, deployed).flatMap(({ groups }) => groups.map(({ name }) => name)),
  );
  const found = groupsInFlight(deployed, spec.platform, pending).filter(({ group }) => !emptied.has(group));
  const wanted = new Map(groupsOf(spec).map((group) => [group.name, group]));
  // A leave that has ended is gone from the state: nothing but the machine itself goes then.
  const leaves = ({ group }: InFlight): number => {
    const current = deployed.groups.get(group);
    if (current === undefined || !hasToLeave(current, wanted.get(group))) return 0;
    return current.leave ? 2 : 1;
  };
  const isDead = ({ group }: InFlight): boolean => (deployed.groups.get(group)?.dead?.length ?? 0) > 0;
  return found.toSorted(
    (one, other) => Number(isDead(other)) - Number(isDead(one)) || leaves(one) - leaves(other),
  );
}

/**
 * Whether a machine was configured with the Consul servers. Terraform destroys its `config_consul` right after `leave`, so
 * one that is configured has not left.
 */
export const isConfigured = (
  { number, id, configConsul }: DeployedHost,
  { name, tainted }: DeployedGroup,
  platform: PlatformName,
): boolean =>
  configConsul !== undefined &&
  configConsul.host === id &&
  !tainted.includes(hostAddress(platform, name, number, "config-consul"));

/** Whether a machine is as good as gone: no freeze holds what is tainted, and what has left is out of Consul. */
export function isOut(
  host: DeployedHost,
  group: DeployedGroup,
  platform: PlatformName,
  kinds: readonly HostKind[] = HOST_KINDS,
): boolean {
  const isTainted = kinds.some(
    (kind) =>
      kind !== "config-consul" &&
      kind !== "data" &&
      group.tainted.includes(hostAddress(platform, group.name, host.number, kind)),
  );
  if (isTainted || group.role !== "client") return isTainted;
  return group.order?.includes(host.name) === false || (!group.leave && !isConfigured(host, group, platform));
}

/** Whether a machine is out though it is an old one of a surge: up and at work is one of which only a hook is tainted. */
export const isOutOfSurge = (
  host: DeployedHost,
  group: DeployedGroup,
  hash: string,
  platform: PlatformName,
): boolean => isOut(host, group, platform, host.hash === hash ? undefined : ["host"]);

/** Whether the hooks of a machine have ended, as far as it is recorded: nothing else tells that one is only half made. */
export const isMade = (host: DeployedHost, group: DeployedGroup, platform: PlatformName): boolean =>
  isConfigured(host, group, platform) && (!group.completed || isHostProven(host, recordedIn(group)));

/** Whether a machine of the group goes that is still there. */
const hasToLeave = (current: DeployedGroup, desired: Group | undefined): boolean => {
  const wanted = desired && withNumbers(desired, current);
  return current.hosts.some(
    ({ number, hash }) => !wanted || !hasNumber(wanted, number) || hash !== wanted.hash,
  );
};

function unfinished(group: DeployedGroup, deployed: Deployed, platform: PlatformName): string[] {
  const ready = groupAddress(platform, group.name, "ready");
  const own = (address: string): boolean => !address.endsWith("-config-consul");
  const hashes = new Set(group.hosts.map((host) => host.hash));
  return [
    ...group.tainted.filter(own).map((address) => `${address} is tainted`),
    ...group.deposed.map((address) => `${address} has an old object that is still to be destroyed`),
    ...(group.revisions.length > 0
      ? []
      : [`${groupAddress(platform, group.name, "revision")} is missing or empty`]),
    ...(group.leave ? [] : [`${groupAddress(platform, group.name, "leave")} is missing: the group has left`]),
    ...(group.ready ? readyReasons(group, group.ready, ready) : [`${ready} is missing`]),
    ...(hashes.size > 1
      ? [`its hosts run ${String(hashes.size)} templates: ${[...hashes].sort().join(", ")}`]
      : []),
    ...group.hosts.flatMap((host) => missingMembers(group, host, deployed, platform)),
  ];
}

function readyReasons(
  group: DeployedGroup,
  ready: NonNullable<DeployedGroup["ready"]>,
  address: string,
): string[] {
  const present = group.hosts.map((host) => host.id).join(",");
  const hash = group.hosts[0]?.hash;
  return [
    ...(ready.hosts === present
      ? []
      : [`${address} was passed for the hosts ${ready.hosts || "none"}, there are ${present || "none"}`]),
    ...(hash === undefined || ready.hash === hash
      ? []
      : [`${address} was passed for the template ${ready.hash}, the hosts run ${hash}`]),
    ...(ready.gate === "open" ? [] : [`${address}: its gate is ${ready.gate}`]),
  ];
}

/** What a present host should have and has not; a load balancer or volume that is not there asks for no attachment. */
function missingMembers(
  group: DeployedGroup,
  host: DeployedHost,
  deployed: Deployed,
  platform: PlatformName,
): string[] {
  const address = (kind: Parameters<typeof hostAddress>[3]): string =>
    hostAddress(platform, group.name, host.number, kind);
  const wanted = [
    ...(deployed.addresses.has(address("stop-agents")) ? [address("start-agents")] : []),
    ...(deployed.addresses.has(address("start-agents")) ? [address("stop-agents")] : []),
    ...(deployed.addresses.has(address("data")) ? [address("data-attachment")] : []),
    ...(deployed.addresses.has(address("data-attachment")) ? [address("data")] : []),
    ...(deployed.addresses.has(targetGroupAddress(platform, group.pool)) ? [address("target")] : []),
  ];
  return wanted.filter((each) => !deployed.addresses.has(each)).map((each) => `${each} is missing`);
}

/** The address of a pool's target group: what hosts are attached to. */
export const targetGroupAddress = (platform: PlatformName, pool: string): string =>
  platform === "aws" ? `aws_lb_target_group.${pool}` : `terraform_data.${pool}-load-balancer`;

/** The ids of all Consul servers, joined as `config_consul` holds them. */
export const consulServerIds = (deployed: Deployed): string =>
  [...deployed.groups.values()]
    .filter(({ role }) => role === "consul-server")
    .sort(byOrder)
    .flatMap(({ hosts }) => hosts.map(({ id }) => id))
    .join(",");

/** Whether machines of groups that are whole else may not know the Consul servers that there are. */
export const isUnconfigured = (deployed: Deployed, platform: PlatformName): boolean =>
  isUntold(deployed) || notConfigured(judgeStanding(deployed, platform), deployed, platform).length > 0;

/** What is not done of the `config_consul` of the groups that are whole. */
function notConfigured(standing: readonly Standing[], deployed: Deployed, platform: PlatformName): string[] {
  const servers = consulServerIds(deployed);
  return standing.flatMap(({ group: { name, hosts, tainted }, isWhole }) =>
    (isWhole ? hosts : []).flatMap(({ number, id, configConsul }) => {
      const address = hostAddress(platform, name, number, "config-consul");
      if (tainted.includes(address)) return [`${address} is tainted`];
      if (!configConsul) return [`${address} is missing`];
      if (configConsul.host !== id) return [`${address} was made for the machine ${configConsul.host}`];
      return configConsul.servers === servers ? [] : [`${address} names other Consul servers than there are`];
    }),
  );
}

/** The Consul group that is in flight itself, else one whose machines no revision names yet, else the one with the newest. */
function lastConsulGroup(
  known: readonly DeployedGroup[],
  inFlight: ReadonlySet<string>,
  pending: readonly string[],
): DeployedGroup | undefined {
  const servers = known.filter(({ role }) => role === "consul-server");
  const newest = (group: DeployedGroup): number => group.revisions.at(-1)?.number ?? 0;
  return (
    servers.find((group) => inFlight.has(group.name)) ??
    servers.find((group) => group.hosts.some(({ hash }) => hash !== deployedHash(group))) ??
    servers.find(({ name }) => pending.includes(name)) ??
    servers.reduce<DeployedGroup | undefined>(
      (last, group) => (last && newest(last) > newest(group) ? last : group),
      undefined,
    )
  );
}

const ROLES: readonly Role[] = ["consul-server", "nomad-server", "client"];

/** Making a server anew that is gone takes nothing from anybody; with it gone, nothing else may leave. */
const byUrgency = (a: DeployedGroup, b: DeployedGroup): number =>
  Number(lacksServer(b)) - Number(lacksServer(a)) || byOrder(a, b);

const lacksServer = ({ role, hosts }: DeployedGroup): boolean => role !== "client" && hosts.length === 0;

const byOrder = (a: DeployedGroup, b: DeployedGroup): number =>
  ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || (a.name < b.name ? -1 : 1);

const hostIds = (joined: string | undefined): string[] | undefined =>
  joined?.split(",").filter((id) => id !== "");
