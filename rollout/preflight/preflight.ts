import type { Role } from "../../cluster/groups.js";
import type { InFlight } from "../../cluster/pending.js";
import { type Leaving, workFindings } from "./capacity.js";
import type { Finding } from "./finding.js";
import { withoutRegion } from "../observation/host-of.js";
import { isDeadRecord, isMachineEnded } from "../observation/machine.js";
import { isUnknown, type ConsulMember, type Observation, type Observed } from "../observation/observation.js";
import { listedHosts, listObjection } from "../server-lists.js";
import { missingRights } from "./rights.js";
import type { LeaveOrder } from "../leave/order.js";
import { raftKnowsName } from "../leave/quorum.js";
import type { ClusterGroup } from "../ready/expected.js";
import { toleranceOf, wholeServers, type Servers } from "../ready/votes.js";

export interface PreflightInput extends Leaving, Pick<LeaveOrder, "servers" | "stay"> {
  /** The group that is to be rolled. */
  readonly group: string;
  /** Every deployed group, the one that is to be rolled among them. */
  readonly cluster: readonly ClusterGroup[];
  /** What the state says is in flight. */
  readonly inFlight: readonly InFlight[];
}

export interface Preflight {
  /** Any of these, and no work may leave. */
  readonly refusals: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** An election takes seconds, and autopilot some more until it says that all is well. */
const PATIENCE_SECONDS = 60;

/** Whether to look again, since nothing speaks against a roll but what passes by itself, and has had little time to. */
export function isWorthWaiting({ refusals }: Preflight, waitedMs: number): boolean {
  return (
    refusals.length > 0 &&
    refusals.every(({ passing }) => passing === true) &&
    waitedMs < PATIENCE_SECONDS * 1000
  );
}

/** Whether a group may be rolled now: everything that speaks against it, at once. */
export function preflight(observation: Observation, input: PreflightInput): Preflight {
  const { cluster, group, inFlight } = input;
  const target = cluster.find(({ name }) => name === group);
  if (!target) throw new Error(`no group ${group} among those that are deployed`);
  const others = cluster.filter(({ name }) => name !== group);
  const lists = listFindings(observation, input, target);
  const work = workFindings(observation, target, input);
  return {
    refusals: [
      ...missingRights(target.role, observation, "before"),
      ...unanswered(observation, target.role),
      ...inFlight.filter((one) => one.group !== group).map((one) => stillInFlight(one)),
      ...others.flatMap((other) => notWell(observation, other, target)),
      ...notWhole(observation, target, input),
      ...lists.filter(({ refuses }) => refuses),
      ...work.refusals,
    ],
    warnings: [...lists.filter(({ refuses }) => !refuses), ...work.warnings],
  };
}

/**
 * A list that is wrong is configured by the roll itself. One that cannot be read may be wrong, so no Consul server goes that
 * is alive; where it is dead, or its roll has begun, that would only be in the way.
 */
function listFindings(
  observation: Observation,
  { inFlight }: PreflightInput,
  target: ClusterGroup,
): (Finding & { readonly refuses: boolean })[] {
  const goes =
    target.role === "consul-server" &&
    listedHosts(observation, [target], target).length > 0 &&
    !inFlight.some(({ group }) => group === target.name);
  return (observation.lists ?? []).flatMap((list) => {
    const { host: subject } = list;
    const objection = listObjection(list, observation);
    if (objection === undefined) return [];
    if ("unmet" in objection) {
      const remedy = "once it is confirmed, the roll configures it first";
      return [{ subject, message: objection.unmet, remedy, refuses: false }];
    }
    const remedy = "see to it, since it may miss the successors of servers";
    return [
      { subject, message: objection.unknown, remedy, refuses: goes && !target.hosts.includes(subject) },
    ];
  });
}

const stillInFlight = ({ group, reasons }: InFlight): Finding => ({
  subject: group,
  message: `is in flight: ${reasons.join(", ")}`,
  remedy: `finish it first: npx rollout deploy ${group}`,
});

/** A check that could not be made is no check that passed. */
function unanswered({ nomad, consul, machines, targets }: Observation, role: Role): Finding[] {
  const lists = {
    "Consul's members": consul.members,
    "the rights in Consul": consul.rights,
    "Nomad's nodes": nomad.nodes,
    "Nomad's members": nomad.members,
    "the rights in Nomad": nomad.rights,
    "the catalog of Consul": consul.catalog,
    "the checks in Consul": consul.health,
    "the machines in EC2": isUnknown(machines) && machines.absent ? [] : machines,
    "the targets of the load balancer": targets,
    ...(role === "consul-server"
      ? { "the health of Consul's servers": consul.autopilot, "Consul's raft configuration": consul.raft }
      : {}),
    ...(role === "nomad-server"
      ? { "the health of Nomad's servers": nomad.autopilot, "Nomad's raft configuration": nomad.raft }
      : {}),
  };
  const found = Object.entries(lists).flatMap(([name, list]) =>
    isUnknown(list) && !(list.refused === true && name.startsWith("the rights")) ? [{ name, ...list }] : [],
  );
  // One that throttles, or that nobody reaches, keeps all questions from being asked: it is said once.
  const rootOf = (text: string): string =>
    found.map(({ unknown }) => unknown).find((other) => text.endsWith(`: ${other}`)) ?? text;
  return [...new Set(found.map(({ unknown }) => rootOf(unknown)))].map((reason) => {
    const own = found.filter(({ unknown }) => rootOf(unknown) === reason);
    return {
      subject: "preflight",
      message: `could not ask for ${own.map(({ name }) => name).join(", ")}: ${reason}`,
      remedy: "what is not known counts as not well; see to it and run this again",
      ...(own.every(({ passing }) => passing) ? { passing: true as const } : {}),
    };
  });
}

/** Why a host is not well, and the command that ends that without a roll of its group, where there is one. */
interface Reason {
  readonly why: string;
  readonly mend?: string;
  /** Of an agent that does not live: whether there is a record of it. */
  readonly gone?: "dead" | "no record";
}

/** Why another group is not whole, host by host. */
export function notWell(
  observation: Observation,
  other: ClusterGroup,
  target: Pick<ClusterGroup, "name" | "pool">,
): Finding[] {
  const whose = other.pool === target.pool ? "of the same pool" : "of another pool";
  return other.hosts.flatMap((host) => {
    const isEnded = isMachineEnded(observation.machines, host);
    const reasons: Reason[] = [
      ...(isEnded ? [{ why: "its machine is gone" }] : []),
      ...unwell(observation, other.role, host),
    ];
    if (reasons.length === 0) return [];
    return [
      {
        subject: host,
        message: `is not well, and ${other.name} is a group ${whose}: ${reasons.map(({ why }) => why).join(", ")}`,
        remedy: `make ${other.name} whole before ${target.name} is rolled${isEnded ? `: npx rollout deploy ${other.name}` : mending(other, reasons)}`,
      },
    ];
  });
}

/** What Consul and Nomad have against a machine. */
export const unwell = (observation: Observation, role: Role, host: string): Reason[] => [
  ...asMember("Consul agent", observation.consul.members, host, "consul"),
  ...(role === "client" ? asNode(observation, host) : []),
  ...(role === "nomad-server" ? asMember("Nomad server", observation.nomad.members, host, "nomad") : []),
];

/**
 * A group whose leave was cut off is finished by its roll. One that was set back meanwhile has no roll any more, and where
 * another is in flight by now each would wait for the other for ever: only its agents can be brought back.
 */
function mending({ name }: ClusterGroup, reasons: readonly Reason[]): string {
  const commands = [...new Set(reasons.flatMap(({ mend }) => mend ?? []))];
  return commands.length === 0
    ? ""
    : `: finish its roll where one was begun (npx rollout deploy ${name}), or where it is to stay as it is: ${commands.join(", and ")}`;
}

const startOn = (host: string, unit: "consul" | "nomad"): string => `sudo systemctl start ${unit} on ${host}`;

function asMember(
  what: string,
  members: Observed<readonly ConsulMember[]>,
  host: string,
  unit: "consul" | "nomad",
): Reason[] {
  if (isUnknown(members)) return [];
  const status = members.find(({ name }) => withoutRegion(name) === host)?.status;
  if (status === "alive") return [];
  const said = { why: `its ${what} is ${status ?? "no member"}`, mend: startOn(host, unit) };
  return [status === "leaving" ? said : { ...said, gone: status ? "dead" : "no record" }];
}

/** A dead record beside the live one is no harm. */
function asNode({ nomad: { nodes }, machines }: Observation, host: string): Reason[] {
  if (isUnknown(nodes)) return [];
  const records = nodes.filter(({ name }) => name === host);
  const live = records.filter((node) => !isDeadRecord(node, nodes, machines));
  const mend = startOn(host, "nomad");
  if (records.length === 0) return [{ why: "Nomad has no node of this name", mend, gone: "no record" }];
  if (live.length === 0)
    return [{ why: `its node is ${records.at(-1)?.status ?? "gone"}`, mend, gone: "dead" }];
  if (live.length > 1) return [{ why: `Nomad has ${String(live.length)} live nodes of this name` }];
  return live.flatMap(({ id, status, drain, eligibility }) => [
    ...(status === "ready"
      ? []
      : [{ why: `its node is ${status}`, ...(status === "disconnected" ? { gone: "dead" as const } : {}) }]),
    ...(drain ? [{ why: "its node is draining", mend: `nomad node drain -disable ${id}` }] : []),
    ...(eligibility === "eligible"
      ? []
      : [{ why: "its node is ineligible", mend: `nomad node eligibility -enable ${id}` }]),
  ]);
}

/**
 * Why the gate of a server could not pass: its own conditions are asked of the servers now, which tells whether another may
 * fail, and of those that the roll leaves. The group's own peers have gone by then, and autopilot has removed a nameless one
 * if a server of the group is dead already, which is what is missing.
 */
function notWhole(
  { consul, nomad }: Observation,
  { name, role, hosts }: ClusterGroup,
  { servers: all, stay }: PreflightInput,
): Finding[] {
  if (role === "client") return [];
  const [kind, { autopilot, members, raft }] =
    role === "consul-server" ? ["Consul", consul] : ["Nomad", nomad];
  if (isUnknown(autopilot) || isUnknown(members) || isUnknown(raft)) return [];
  const alive = new Set(
    members.flatMap((member) => (member.status === "alive" ? withoutRegion(member.name) : [])),
  );
  const isMissing = (host: string): boolean =>
    !hosts.includes(host) && members.some((member) => withoutRegion(member.name) === host);
  const isDead = hosts.length === 0 || hosts.some((host) => !alive.has(host)) || stay.some(isMissing);
  const stays = (peer: { readonly name: string }): boolean =>
    ![...hosts, ...stay].includes(withoutRegion(peer.name)) && !(isDead && !raftKnowsName(peer));
  const anew = stay.map((host) => ({
    ...{ id: `the next ${host}`, name: host, address: "", stableSince: 0 },
    ...{ voter: true, leader: true, healthy: true },
  }));
  const servers = [...autopilot.servers.filter(stays), ...anew];
  const peers = [...raft.filter(stays), ...anew];
  const healthy = servers.every((server) => server.healthy);
  const next = { autopilot: { healthy, failureTolerance: toleranceOf(all), servers }, raft: peers };
  const reasonIn = (those: Servers, count: number): string | undefined =>
    wholeServers(those, { role, servers: count }).find(({ status }) => status !== "met")?.reason;
  // The roll itself mends a server of the group that counts for nothing.
  const counts = hosts.every((host) =>
    autopilot.servers.some(({ name, voter, healthy }) => withoutRegion(name) === host && voter && healthy),
  );
  const standing = all - stay.length + hosts.length;
  const now = isDead || !counts ? undefined : reasonIn({ autopilot, raft }, standing);
  const reason = now ?? reasonIn(next, all);
  if (reason === undefined) return [];
  // Autopilot speaks of an election for some seconds after it, while raft and the members have nothing against the roll.
  const isLate =
    peers.length === all &&
    peers.every((peer) => peer.voter && (!stays(peer) || alive.has(withoutRegion(peer.name))));
  return [
    {
      subject: name,
      message:
        now === undefined
          ? `${isDead ? `its ${kind} server is dead, and ` : ""}with a new one ${kind} would not be whole: ${reason}`
          : `${kind} ${all > 3 ? "is not whole" : "tolerates no failure"} now: ${reason}`,
      remedy: `wait until ${kind}'s ${String(now === undefined ? all : standing)} servers are whole, without any other (${kind.toLowerCase()} operator raft list-peers)`,
      ...(isLate ? { passing: true } : {}),
    },
  ];
}
