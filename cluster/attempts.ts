import { groupAddress, hostAddress, type HostKind, type PlatformName } from "./address.js";
import type { ClusterState } from "./cluster-state.js";
import { isHostProven, isPassed, recordedIn } from "./completed.js";
import { GATE_REFERENCE } from "./hooks/variables.js";
import type { DeployedGroup, DeployedHost } from "./deployed.js";
import { groupsOf, hostNames, numbersIn, type Group } from "./groups.js";
import { hasNumber, withNumbers } from "./numbers.js";
import { consulServerIds, deployedHash, inFlightOf, isConfigured, isNew, isUnconfigured } from "./pending.js";
import type { Completed } from "./revision.js";

/** The numbers that the create hooks of one group carry in their triggers, and what its revision records of them. */
export interface GroupAttempts {
  /** By address; a hook that is not in it carries none. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The addresses of the hooks that run anew. */
  readonly fresh: ReadonlySet<string>;
  /** The hosts are ids, or references to those that are made anew. */
  readonly completed?: Completed | undefined;
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

/** A group that the view may change. */
interface Changing {
  readonly group: Group;
  readonly current: DeployedGroup | undefined;
  readonly recorded: GroupAttempts;
  /** The attempt that is recorded of each machine, by id. */
  readonly ended: ReadonlyMap<string, number>;
  readonly isTrusted: boolean;
  /** The numbers of the hosts that are as desired and need no hook again. */
  readonly staying: ReadonlySet<number>;
}

/**
 * A created object stands in the state before its hook has ended, so what proves a hook is what its group's revision says is
 * completed. What is not proven carries a number that the state has never had, and so runs again.
 * @param target the group that the view rolls; undefined for the cluster view, which creates
 * @param numbers those of the target's hosts in this view; default: what is deployed says
 */
export function attemptsOf(
  { spec, deployed }: ClusterState,
  target: string | undefined,
  laterHosts: readonly string[] = [],
  numbers?: readonly number[],
): ViewAttempts {
  const { platform } = spec;
  const inFlight = new Set(inFlightOf(spec, deployed).map(({ group }) => group));
  const servers = consulServerIds(deployed);
  const changing = groupsOf(spec).flatMap((desired): Changing[] => {
    const current = deployed.groups.get(desired.name);
    const group = withNumbers(desired, current, desired.name === target ? numbers : undefined);
    const isFree = target === undefined ? !group.retires && isNew(current) : group.name === target;
    if (!isFree || spec.protection === "off") return [];
    const recorded = recordedAttempts(current, platform);
    const ended = recordedIn(recorded);
    const isTrusted = !isNew(current) && !inFlight.has(group.name) && !isUnrecorded(group, current);
    const stays = (host: DeployedHost): boolean =>
      current?.completed
        ? isHostProven(host, ended) &&
          host.configConsul?.servers === servers &&
          isUntouched(host, current, platform)
        : isTrusted && recorded.numbers.size === 0;
    const staying = (current?.hosts ?? [])
      .filter((host) => host.hash === group.hash && hasNumber(group, host.number) && stays(host))
      .map(({ number }) => number);
    return [{ group, current, recorded, ended, isTrusted, staying: new Set(staying) }];
  });
  const all = [...deployed.groups.values()];
  // Which roll of Consul servers each machine was told of last.
  const known = new Map(
    all.flatMap((group) => numbered(group, platform, "config-consul", (host) => host.configConsul?.consul)),
  );
  const highest = Math.max(0, ...known.values(), ...all.map(({ completed }) => completed?.consul ?? 0));
  const isTold = changing.some(({ group, current, staying }) => {
    if (group.role !== "consul-server") return false;
    if (target === undefined) return all.some((each) => !isNew(each));
    const isFewer = (current?.hosts ?? []).some(({ number }) => !hasNumber(group, number));
    return staying.size < numbersIn(group).length || isFewer || isUnconfigured(deployed, platform);
  });
  const consulRoll = isTold ? highest + 1 : undefined;
  const isSpec = deployed.origin.kind === "spec";
  const gate = target === undefined ? "open" : GATE_REFERENCE;
  const context = { platform, laterHosts, consulRoll, isSpec, gate };
  return {
    groups: new Map(changing.map((each) => [each.group.name, ofGroup(each, context)])),
    ...(consulRoll === undefined ? {} : { consulRoll }),
    consulRollOf: (address) => consulRoll ?? known.get(address) ?? (highest > 0 ? highest : undefined),
  };
}

/** The numbers that a deployed group carries, for a view that does not change it. */
export function recordedAttempts(group: DeployedGroup | undefined, platform: PlatformName): GroupAttempts {
  const fresh = new Set<string>();
  if (!group) return { numbers: new Map(), fresh };
  const [ready, left] = [group.ready?.attempt, group.leaveFor?.attempt];
  const ended = recordedIn(group);
  const numbers = new Map([
    // One that is missing is made anew under the number that is recorded of its machine.
    ...(["start-agents", "config-consul"] as const).flatMap((kind) =>
      numbered(group, platform, kind, (host) => {
        const hook = kind === "config-consul" ? host.configConsul : host.startAgents;
        const number = hook ? (hook.attempt ?? 0) : (ended.get(host.id ?? "") ?? 0);
        return number === 0 ? undefined : number;
      }),
    ),
    ...(ready === undefined ? [] : [[groupAddress(platform, group.name, "ready"), ready] as const]),
    ...(left === undefined ? [] : [[groupAddress(platform, group.name, "leave"), left] as const]),
  ]);
  return { numbers, fresh, completed: group.completed };
}

/** The numbers that a kind of member of some hosts carries, by address. */
const numbered = (
  { name, hosts }: DeployedGroup,
  platform: PlatformName,
  kind: HostKind,
  numberOf: (host: DeployedHost) => number | undefined,
): (readonly [string, number])[] =>
  hosts.flatMap((host) => {
    const number = numberOf(host);
    return number === undefined ? [] : [[hostAddress(platform, name, host.number, kind), number] as const];
  });

/** Whether machines stand that no revision speaks of: a roll was cut off while its `ready` ran, or at a closed gate. */
const isUnrecorded = (group: Group, current: DeployedGroup | undefined): boolean =>
  deployedHash(current) !== group.hash && current?.hosts.some(({ hash }) => hash === group.hash) === true;

/** Whether nothing is tainted, or missing, of what hooks have made of a machine. */
const isUntouched = (host: DeployedHost, group: DeployedGroup, platform: PlatformName): boolean =>
  isConfigured(host, group, platform) &&
  !(["host", "stop-agents", "start-agents"] as const).some((kind) =>
    group.tainted.includes(hostAddress(platform, group.name, host.number, kind)),
  );

interface Context {
  readonly platform: PlatformName;
  readonly laterHosts: readonly string[];
  readonly consulRoll: number | undefined;
  /** Whether what is deployed is taken from a spec, which proves nothing. */
  readonly isSpec: boolean;
  /** That of the view. */
  readonly gate: string;
}

function ofGroup(
  { group, current, recorded, ended, staying, isTrusted }: Changing,
  { platform, laterHosts, consulRoll, isSpec, gate }: Context,
): GroupAttempts {
  const waiting = (current?.hosts ?? []).filter(({ name }) => laterHosts.includes(name));
  const kept = new Set([...staying, ...waiting.map(({ number }) => number)]);
  const all = numbersIn(group);
  const made = all.filter((number) => !kept.has(number));
  const isWhole =
    made.length === 0 &&
    waiting.length === 0 &&
    consulRoll === undefined &&
    (isSpec ? isTrusted : hasPassed(group, current, platform));
  if (isWhole) return recorded;
  const next = Math.max(0, current?.completed?.attempt ?? 0, ...recorded.numbers.values()) + 1;
  const fresh = new Set([
    ...made.flatMap((number) =>
      (["start-agents", "config-consul"] as const).map((kind) =>
        hostAddress(platform, group.name, number, kind),
      ),
    ),
    groupAddress(platform, group.name, "ready"),
  ]);
  const unproven = new Set(
    waiting
      .filter((host) => !staying.has(host.number) && !isHostProven(host, ended))
      .map(({ number }) => number),
  );
  const hosts = all.filter((number) => !unproven.has(number));
  const roll = group.role === "consul-server" ? (consulRoll ?? current?.completed?.consul) : undefined;
  const numbers = new Map([...recorded.numbers, ...[...fresh].map((address) => [address, next] as const)]);
  if (current && goesUnheard(group, current, laterHosts))
    numbers.set(groupAddress(platform, group.name, "leave"), next);
  const entry = (number: number): string => {
    const attempt = numbers.get(hostAddress(platform, group.name, number, "config-consul")) ?? 0;
    return `\${${hostAddress(platform, group.name, number, "host")}.id}:${String(attempt)}`;
  };
  return {
    numbers,
    fresh,
    completed: {
      attempt: next,
      hosts: hosts.map(entry).join(","),
      gate,
      ...(group.numbers ? { numbers: [...group.numbers] } : {}),
      ...(roll === undefined ? {} : { consul: roll }),
    },
  };
}

/** Whether a machine goes, or gives its number to another, though all that `leave` is made for is as it was, as where a surge is undone. */
const goesUnheard = (group: Group, { hosts, leaveFor }: DeployedGroup, laterHosts: readonly string[]) =>
  hosts.some(
    ({ number, name, hash }) =>
      !hasNumber(group, number) || (hash !== group.hash && !laterHosts.includes(name)),
  ) &&
  leaveFor?.hash === group.hash &&
  leaveFor.hosts === hostNames(group).join(",") &&
  (leaveFor.waiting ?? "") === laterHosts.join(",");

/** Whether the gate has passed for just the machines that there are. */
function hasPassed(group: Group, current: DeployedGroup | undefined, platform: PlatformName): boolean {
  const { ready, hosts = [], tainted = [] } = current ?? {};
  return (
    ready?.gate === "open" &&
    ready.hash === group.hash &&
    ready.hosts === hosts.map(({ id }) => id).join(",") &&
    hosts.length === numbersIn(group).length &&
    !tainted.includes(groupAddress(platform, group.name, "ready")) &&
    isPassed({ ready, completed: current?.completed })
  );
}
