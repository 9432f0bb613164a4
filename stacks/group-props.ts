import type { HostGroupProps, HostProps } from "../constructs/host-group-props.js";
import type { Protection } from "../constructs/lifecycle.js";
import type { GroupAttempts } from "../cluster/attempts.js";
import {
  groupAddress,
  hostAddress,
  HOST_KINDS,
  parseAddress,
  type HostKind,
  type PlatformName,
} from "../cluster/address.js";
import type { DeployedGroup, DeployedVolume } from "../cluster/deployed.js";
import { numbersIn, type Group } from "../cluster/groups.js";
import { onlyAdds } from "../cluster/numbers.js";
import { nextRevisions } from "../cluster/revision.js";
import { ownSettings } from "../cluster/template-hash.js";
import { leftByRoll } from "../cluster/in-place.js";
import { volumeChanges } from "../cluster/volume-changes.js";

/** The part of a group's rendering that depends on what is desired, what is deployed and what the view may change. */
export type Rendering = Omit<
  HostGroupProps,
  "consul" | "hooks" | "agents" | "hostsAfter" | "revisionAfter" | "told" | "balanced"
>;

export interface RenderingOptions {
  readonly platform: PlatformName;
  readonly revisionHistoryLimit: number;
  /** Why the next revision is made. */
  readonly cause: string;
  readonly attempts: GroupAttempts;
  /** What the state holds. */
  readonly addresses: ReadonlySet<string>;
  /** The names of the hosts that wait for a later batch. */
  readonly laterHosts: readonly string[];
}

/**
 * A group that another view may change: rendered from what is deployed, and only what the state holds, so that even a
 * repair can only restore.
 * @param configures whether every machine is configured with a new Consul server in this view
 */
export function frozenRendering(
  group: DeployedGroup,
  { addresses, attempts }: RenderingOptions,
  configures: boolean,
): Rendering {
  return {
    ...identityOf(group),
    hash: group.ready?.hash ?? group.revisions.at(-1)?.hash ?? group.hosts[0]?.hash ?? "",
    hosts: group.hosts,
    volumes: group.volumes,
    revisions: group.revisions,
    attempts,
    ...(group.ready ? { passedFor: group.ready.hosts } : {}),
    // A roll that was cut off may have left a machine that is not configured. One that has left itself is configured in
    // its own view.
    includes: (address) =>
      addresses.has(address) ||
      (configures && group.leave && parseAddress(address)?.kind === "config-consul"),
    protect: (address): Protection => {
      const kind = parseAddress(address)?.kind;
      if (kind === "config-consul" && configures) return "live";
      return kind === "config-consul" || kind === "ready" ? "ignored" : "frozen";
    },
  };
}

/** A group that was never ready: free to change until it is, with its first revision in the making. */
export function newRendering(
  group: Group,
  deployed: DeployedGroup | undefined,
  options: RenderingOptions,
): Rendering {
  return {
    ...identityOf(group),
    hash: group.hash,
    hosts: desiredHosts(group),
    volumes: volumesOf(group, deployed),
    revisions: nextRevisions(group, deployed?.revisions ?? [], options),
    attempts: options.attempts,
    includes: () => true,
    protect: (address) => (outlives(address) ? "kept" : "live"),
  };
}

/** Whether a member is never destroyed: the data, and the history with its numbers. */
function outlives(address: string): boolean {
  const kind = parseAddress(address)?.kind;
  return kind === "data" || kind === "revision";
}

/**
 * The group that a view is for: rendered as desired. A host that was made from the desired template already stays, and is
 * frozen here, too, so that a change of its surroundings (subnets, key) or a rerun after a cut cannot touch it. So is one that
 * waits for a later batch: it is rendered from what is deployed, as those of other groups are. So is a volume that differs in place,
 * until all machines are as desired.
 * @param options with whether data volumes are changed in place now
 */
export function targetRendering(
  group: Group,
  deployed: DeployedGroup,
  options: RenderingOptions & { readonly isInPlace: boolean },
): Rendering {
  const { addresses, attempts, laterHosts, platform, isInPlace } = options;
  const desired = newRendering(group, deployed, options);
  const held = deployed.hosts.filter(({ name }) => laterHosts.includes(name)).map(({ number }) => number);
  const ofHeld = new Set(
    held.flatMap((number) => membersOf(group, number, platform, (kind) => kind !== "config-consul")),
  );
  const left = isInPlace ? [] : leftByRoll(group, deployed);
  const asIs = deployed.volumes.filter((volume) => held.includes(volume.host) || left.includes(volume));
  const otherwise = new Set(
    deployed.volumes.flatMap((volume) =>
      volumeChanges(volume, group).length > 0 && !left.includes(volume)
        ? [hostAddress(platform, group.name, volume.host, "data")]
        : [],
    ),
  );
  const staying = membersThatStay(group, deployed, platform).filter(
    (address) => !attempts.fresh.has(address) && !otherwise.has(address),
  );
  const leave = onlyAdds(group, deployed, laterHosts) ? [groupAddress(platform, group.name, "leave")] : [];
  const frozen = new Set([...staying, ...ofHeld, ...leave]);
  const asDeployed = new Map(
    deployed.hosts
      .filter(({ number }) => frozen.has(hostAddress(platform, group.name, number, "host")))
      .map((host) => [host.number, host]),
  );
  return {
    ...desired,
    whileClosed: deployed.revisions,
    laterHosts,
    // Over the desired values, which are those of the same template: a state read does not tell the root volume.
    hosts: desired.hosts.map((host) => ({ ...host, ...asDeployed.get(host.number) })),
    volumes: [
      ...desired.volumes.filter(
        ({ host }) => !held.includes(host) && !asIs.some((each) => each.host === host),
      ),
      ...asIs,
    ],
    includes: (address) => !ofHeld.has(address) || addresses.has(address),
    protect: (address) => (frozen.has(address) ? "frozen" : desired.protect(address)),
  };
}

/**
 * The hosts of the desired template and what hangs on them. A tainted one goes, and what hangs on it with it;
 * `config_consul` is not held, since it must follow the Consul servers.
 */
function membersThatStay(group: Group, deployed: DeployedGroup, platform: PlatformName): string[] {
  return deployed.hosts
    .filter(({ hash }) => hash === group.hash)
    .flatMap(({ number }) => {
      const isTainted = (kind: HostKind): boolean =>
        deployed.tainted.includes(hostAddress(platform, group.name, number, kind));
      if (isTainted("host")) return [];
      const hasVolume = deployed.volumes.some(({ host }) => host === number);
      return membersOf(
        group,
        number,
        platform,
        (kind) => kind !== "config-consul" && (kind !== "data-attachment" || hasVolume) && !isTainted(kind),
      );
    });
}

/** The addresses of a host and of what hangs on it. */
const membersOf = (
  { name }: Group,
  number: number,
  platform: PlatformName,
  isMeant: (kind: HostKind) => boolean,
): string[] => HOST_KINDS.filter(isMeant).map((kind) => hostAddress(platform, name, number, kind));

function desiredHosts(group: Group): HostProps[] {
  const { image, instanceType, hash, rootVolume } = group;
  const own = ownSettings(group);
  const template = { image, instanceType, hash, own, ...(rootVolume ? { rootVolume } : {}) };
  return numbersIn(group).map((number) => ({ number, ...template }));
}

/** Desired volumes at their deployed place, and those of hosts that are gone: a shrinking group keeps its data. */
function volumesOf(group: Group, deployed: DeployedGroup | undefined): DeployedVolume[] {
  const { wantedVolume } = group;
  const wanted = wantedVolume ? numbersIn(group).map((host) => ({ host, ...wantedVolume })) : [];
  const there = deployed?.volumes ?? [];
  const zoneOf = (host: number): { zone?: string } => {
    const zone = there.find((volume) => volume.host === host)?.zone;
    return zone === undefined ? {} : { zone };
  };
  const parked = there.filter((volume) => !wanted.some(({ host }) => host === volume.host));
  return [...wanted.map((volume) => ({ ...volume, ...zoneOf(volume.host) })), ...parked];
}

type Identity = Pick<Rendering, "pool" | "index" | "name">;

const identityOf = ({ pool, index, name }: Identity): Identity => ({ pool, index, name });
