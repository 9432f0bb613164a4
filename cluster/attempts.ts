import { groupAddress, hostAddress, type HostKind, type PlatformName } from "./address.js";
import type { ClusterState } from "./cluster-state.js";
import { isHostProven } from "./completed.js";
import type { Completed, Deployed, DeployedGroup, DeployedHost } from "./deployed.js";
import { groupsOf, type Group } from "./groups.js";
import { consulServerIds, inFlightOf, isConfigured, isNew, isUnconfigured } from "./pending.js";

/** The numbers that the create hooks of one group carry in their triggers, and what its revision records of them. */
export interface GroupAttempts {
  /** By address; a hook that is not in it carries none. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The addresses of the hooks that run anew. */
  readonly fresh: ReadonlySet<string>;
  /** The hosts are ids, or references to those that are made anew. */
  readonly completed?: Completed;
}

/** The numbers of a whole view. */
export interface ViewAttempts {
  /** Of those groups that the view may change; others are rendered from the state. */
  readonly groups: ReadonlyMap<string, GroupAttempts>;
  /** The number of this roll of Consul servers, where every machine is told of them anew. */
  readonly consulRoll?: number;
  /** What a `config_consul` carries as that number, by its address. */
  readonly consulRollOf: (address: string) => number | undefined;
}

/**
 * A created object stands in the state before its hook has ended, so what proves a hook is what its group's revision says is
 * completed. What is not proven carries a number that the state has never had, and so runs again.
 * @param target the group that the view rolls; undefined for the cluster view, which creates
 */
export function attemptsOf(
  { spec, deployed }: ClusterState,
  target: string | undefined,
  laterHosts: readonly string[] = [],
): ViewAttempts {
  const { platform } = spec;
  const changing = groupsOf(spec).filter(({ name, retires }) => {
    const isFree = target === undefined ? !retires && isNew(deployed.groups.get(name)) : name === target;
    return isFree && spec.protection === "on";
  });
  const inFlight = new Set(inFlightOf(spec, deployed).map(({ group }) => group));
  const isTrusted = (name: string): boolean => !isNew(deployed.groups.get(name)) && !inFlight.has(name);
  const staying = new Map(
    changing.map((group) => [
      group.name,
      stayingHosts(group, deployed, { platform, isTrusted: isTrusted(group.name) }),
    ]),
  );
  const known = consulRolls(deployed, platform);
  const highest = Math.max(0, ...known.values(), ...recordedRolls(deployed));
  const isTold = changing.some((group) => {
    if (group.role !== "consul-server") return false;
    if (target === undefined) return [...deployed.groups.values()].some((each) => !isNew(each));
    return (staying.get(group.name)?.size ?? 0) < group.hosts || isUnconfigured(deployed, platform);
  });
  const consulRoll = isTold ? highest + 1 : undefined;
  const groups = new Map(
    changing.map((group) => {
      const context = { platform, laterHosts, consulRoll, isTrusted: isTrusted(group.name) };
      return [group.name, ofGroup(group, deployed, staying.get(group.name) ?? new Set(), context)] as const;
    }),
  );
  return {
    groups,
    ...(consulRoll === undefined ? {} : { consulRoll }),
    consulRollOf: (address) => consulRoll ?? known.get(address) ?? (highest > 0 ? highest : undefined),
  };
}

/** The numbers that a deployed group carries, for a view that does not change it. */
export function recordedAttempts(group: DeployedGroup, platform: PlatformName): GroupAttempts {
  const of = (host: DeployedHost, kind: HostKind, attempt: number | undefined) =>
    attempt === undefined ? [] : [[hostAddress(platform, group.name, host.number, kind), attempt] as const];
  const ready = group.ready?.attempt;
  const numbers = new Map([
    ...group.hosts.flatMap((host) => [
      ...of(host, "start-agents", host.startAgents?.attempt),
      ...of(host, "config-consul", host.configConsul?.attempt),
    ]),
    ...(ready === undefined ? [] : [[groupAddress(platform, group.name, "ready"), ready] as const]),
  ]);
  return { numbers, fresh: new Set(), ...(group.completed ? { completed: group.completed } : {}) };
}

/** The numbers of the hosts that are as desired and need no hook again. */
function stayingHosts(
  group: Group,
  deployed: Deployed,
  { platform, isTrusted }: { readonly platform: PlatformName; readonly isTrusted: boolean },
): ReadonlySet<number> {
  const current = deployed.groups.get(group.name);
  const servers = consulServerIds(deployed);
  const stays = (host: DeployedHost): boolean =>
    current !== undefined &&
    host.hash === group.hash &&
    host.number < group.hosts &&
    (current.completed
      ? isProven(host, current, { platform, servers })
      : isTrusted && recordedAttempts(current, platform).numbers.size === 0);
  return new Set((current?.hosts ?? []).filter(stays).map(({ number }) => number));
}

const isProven = (
  host: DeployedHost,
  group: DeployedGroup,
  { platform, servers }: { readonly platform: PlatformName; readonly servers: string },
): boolean =>
  isHostProven(host, group) &&
  isConfigured(host, group, platform) &&
  host.configConsul?.servers === servers &&
  !(["host", "stop-agents", "start-agents"] as const).some((kind) =>
    group.tainted.includes(hostAddress(platform, group.name, host.number, kind)),
  );

interface Context {
  readonly platform: PlatformName;
  readonly laterHosts: readonly string[];
  readonly consulRoll: number | undefined;
  readonly isTrusted: boolean;
}

function ofGroup(
  group: Group,
  deployed: Deployed,
  staying: ReadonlySet<number>,
  { platform, laterHosts, consulRoll, isTrusted }: Context,
): GroupAttempts {
  const current = deployed.groups.get(group.name);
  const recorded = current ? recordedAttempts(current, platform) : { numbers: new Map<string, number>() };
  const waiting = (current?.hosts ?? []).filter(({ name }) => laterHosts.includes(name));
  const kept = new Set([...staying, ...waiting.map(({ number }) => number)]);
  const all = Array.from({ length: group.hosts }, (_, number) => number);
  const made = all.filter((number) => !kept.has(number));
  const isWhole =
    made.length === 0 &&
    waiting.length === 0 &&
    consulRoll === undefined &&
    (deployed.origin.kind === "spec" ? isTrusted : hasPassed(group, current, platform));
  if (isWhole) return { ...recorded, fresh: new Set() };
  const next = Math.max(0, current?.completed?.attempt ?? 0, ...recorded.numbers.values()) + 1;
  const fresh = new Set([
    ...made.flatMap((number) =>
      (["start-agents", "config-consul"] as const).map((kind) =>
        hostAddress(platform, group.name, number, kind),
      ),
    ),
    groupAddress(platform, group.name, "ready"),
  ]);
  const proven = current
    ? waiting.filter((host) => isHostProven(host, current)).map(({ number }) => number)
    : [];
  const hosts = all.filter(
    (number) => made.includes(number) || staying.has(number) || proven.includes(number),
  );
  const roll = group.role === "consul-server" ? (consulRoll ?? current?.completed?.consul) : undefined;
  return {
    numbers: new Map([...recorded.numbers, ...[...fresh].map((address) => [address, next] as const)]),
    fresh,
    completed: {
      attempt: next,
      hosts: hosts.map((number) => `\${${hostAddress(platform, group.name, number, "host")}.id}`).join(","),
      ...(roll === undefined ? {} : { consul: roll }),
    },
  };
}

/** Whether the gate has passed for just the machines that there are. */
function hasPassed(group: Group, current: DeployedGroup | undefined, platform: PlatformName): boolean {
  const { ready, hosts = [], tainted = [], completed } = current ?? {};
  return (
    ready?.gate === "open" &&
    ready.hash === group.hash &&
    ready.hosts === hosts.map(({ id }) => id).join(",") &&
    hosts.length === group.hosts &&
    !tainted.includes(groupAddress(platform, group.name, "ready")) &&
    (ready.attempt ?? 0) <= (completed?.attempt ?? 0)
  );
}

/** Which roll of Consul servers each machine was told of last. */
const consulRolls = (deployed: Deployed, platform: PlatformName): ReadonlyMap<string, number> =>
  new Map(
    [...deployed.groups.values()].flatMap(({ name, hosts }) =>
      hosts.flatMap(({ number, configConsul }) =>
        configConsul?.consul === undefined
          ? []
          : [[hostAddress(platform, name, number, "config-consul"), configConsul.consul] as const],
      ),
    ),
  );

const recordedRolls = ({ groups }: Deployed): number[] =>
  [...groups.values()].map(({ completed }) => completed?.consul ?? 0);
