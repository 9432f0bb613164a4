import { groupAddress, hostAddress, hostName, parseGroupName, type Member } from "../../cluster/address.js";
import { groupsOf, hostNames, roleOf, type Group } from "../../cluster/groups.js";
import { memberValues } from "../../cluster/members.js";
import { isNew } from "../../cluster/pending.js";
import { GATE_REFERENCE } from "../../cluster/hooks/variables.js";
import type { Action } from "../change.js";
import { attemptsOtherwise } from "../attempts.js";
import { ignoresAnything, triggersOf } from "../declared.js";
import { callDifference, consulServers, environmentDifference, programsOf } from "../hook-call.js";
import { listed } from "../listed.js";
import { type Proposal, renderedMembers, type Rule, isWaiting, numbered } from "../proposal.js";
import { refuse, type RuleId, type Violation } from "../verdict.js";
import { isOfMember, type MemberWiring } from "../wiring.js";

const RULE: RuleId = "hooks-as-rendered";

const AS_RENDERED = "leave triggers and lifecycle as they are rendered; remove the override";

/**
 * Every hook runs what this program renders, fails Terraform when it fails, and stands in its order: a `leave` that does
 * nothing, or that is destroyed after its machine, drains nobody. No other member runs anything. Where a group is frozen
 * only its `config_consul` can run.
 */
export const hooksAsRendered: Rule = (proposal) => {
  const { spec, target, deployed, laterHosts } = proposal;
  if (spec.protection === "off") return [];
  const changing = new Map(
    groupsOf(spec)
      .filter(({ name }) => (target === undefined ? isNew(deployed.groups.get(name)) : target === name))
      .map((group) => [group.name, numbered(group, proposal)]),
  );
  const wirings = proposal.wiring.filter(isOfMember);
  const running = wirings.filter(
    ({ member }) => member.kind === "config-consul" || changing.has(member.group),
  );
  const servers = consulServers(wirings);
  const program = proposal.program ?? mostOf(programsOf(wirings));
  const otherwise = running.flatMap((wiring) => {
    const why =
      callDifference(
        wiring,
        isWaiting(proposal, wiring.member) ? undefined : changing.get(wiring.member.group),
        program,
        laterHosts,
      ) ?? environmentDifference(wiring, servers, spec.platform, gateIn(target));
    return why === undefined ? [] : [`${wiring.address} (${why})`];
  });
  const members = membersByGroup(wirings.filter(({ member }) => changing.has(member.group)));
  const early = running.flatMap((wiring) => {
    if (!changing.has(wiring.member.group)) return [];
    const after = new Set(wiring.after);
    const missing = precedents(wiring, members, wirings, target).filter((address) => !after.has(address));
    return missing.length === 0 ? [] : [`${wiring.address} (${listed(missing.sort())})`];
  });
  const found = [
    ...refuse(RULE, otherwise, {
      message: "hooks would not run what they are rendered with",
      remedy: "leave the hooks as they are rendered; remove the override",
    }),
    ...refuse(RULE, early, {
      message: "members of groups would not wait for what comes before them",
      remedy: "leave depends_on as it is rendered; remove the override",
    }),
    ...heldBack(proposal),
    ...gateOtherwise(proposal, changing),
    ...triggersOtherwise(proposal, changing),
  ];
  return [...found, ...attemptsOtherwise(proposal, new Set(found.flatMap(({ subjects }) => subjects)))];
};

/** A plan does not say where its program lies, but it has one. */
function mostOf(programs: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const each of programs) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

/** A group that is rolled has the gate of its view. The first creation of one has no other proof, so it is never closed. */
const gateIn = (target: string | undefined): string => (target === undefined ? "open" : GATE_REFERENCE);

/** What a plan says of the gate is what it was made with: a group that is not proven must not look like one that is. */
function gateOtherwise(proposal: Proposal, changing: ReadonlyMap<string, Group>): Violation[] {
  const { plan, target } = proposal;
  if (!plan) return [];
  const gate = target === undefined ? "open" : plan.gate;
  const wrong = renderedMembers(proposal).flatMap(({ address, member, values }) => {
    if (member.kind !== "ready" || !changing.has(member.group)) return [];
    const { gate: planned } = memberValues("ready", address, values);
    return planned === gate ? [] : [`${address} (${JSON.stringify(planned)}, not ${gate})`];
  });
  return refuse(RULE, wrong, {
    message: "gates would be otherwise than the plan was made with",
    remedy: AS_RENDERED,
  });
}

/** The same at synth: what a hook is triggered by are the machines and the template that it is for. */
function triggersOtherwise(
  { declared, target, laterHosts = [] }: Proposal,
  changing: ReadonlyMap<string, Group>,
): Violation[] {
  const hosts = new Map<string, string[]>();
  const numbered = declared.flatMap(({ member, address }) =>
    member?.kind === "host" && member.host !== undefined ? [{ ...member, address, host: member.host }] : [],
  );
  // By number, whatever the order is in which they are declared: in text 10 comes before 2.
  for (const { group, address } of numbered.sort((one, other) => one.host - other.host))
    hosts.set(group, [...(hosts.get(group) ?? []), `\${${address}.id}`]);
  const wrong = declared.filter((resource) => {
    const group = changing.get(resource.member?.group ?? "");
    if (!group) return false;
    const triggers = triggersOf(resource);
    switch (resource.member?.kind) {
      case "ready":
        return (
          ignoresAnything(resource) ||
          triggers["hash"] !== group.hash ||
          triggers["gate"] !== gateIn(target) ||
          triggers["hosts"] !== (hosts.get(group.name) ?? []).join(",")
        );
      case "stop-agents":
      case "start-agents":
        return !hosts.get(group.name)?.includes(String(triggers["host"]));
      case "config-consul":
        return ignoresAnything(resource) || !hosts.get(group.name)?.includes(String(triggers["host"]));
      case "leave":
        return (
          triggers["hosts"] !== hostNames(group).join(",") ||
          (triggers["waiting"] ?? "") !== laterHosts.join(",")
        );
      default:
        return false;
    }
  });
  const addresses = wrong.map(({ address }) => address);
  return refuse(RULE, addresses, {
    message: "hooks would not run when their machines change",
    remedy: AS_RENDERED,
  });
}

/** Where a machine is made anew, so is all that hangs on it, and `ready` asks again: else a failed roll would pass for a done one. */
function heldBack({ plan, changes, spec, target }: Proposal): Violation[] {
  if (!plan) return [];
  const there = new Set(plan.resources.flatMap(({ address, after }) => (after === null ? [] : [address])));
  const made = (action: Action): boolean => action === "create" || action === "replace";
  const remade = new Set(changes.filter(({ action }) => made(action)).map(({ address }) => address));
  const due = changes.flatMap(({ member, action, planned }) => {
    if (member?.kind !== "host" || member.host === undefined || planned?.deposed !== undefined) return [];
    const { group, host } = member;
    if ((target !== undefined && group !== target) || !(made(action) || action === "delete")) return [];
    const own = HANGS_ON_HOST.map((kind) => hostAddress(spec.platform, group, host, kind));
    return [groupAddress(spec.platform, group, "ready"), ...(made(action) ? own : [])];
  });
  const held = [...new Set(due)].filter((address) => there.has(address) && !remade.has(address));
  return refuse(RULE, held, {
    message: "machines would change, and what hangs on them would not be made again",
    remedy: AS_RENDERED,
  });
}

const HANGS_ON_HOST = ["data-attachment", "stop-agents", "start-agents", "config-consul", "target"] as const;

type Members = ReadonlyMap<string, readonly string[]>;

/** Addresses by group and kind, and by host and kind. */
function membersByGroup(wiring: readonly MemberWiring[]): Members {
  const members = new Map<string, string[]>();
  for (const { address, member } of wiring) {
    const { group, kind, host } = member;
    const keys = [`${group} ${kind}`, ...(host === undefined ? [] : [`${hostName(group, host)} ${kind}`])];
    for (const key of keys) {
      const addresses = members.get(key);
      if (addresses) addresses.push(address);
      else members.set(key, [address]);
    }
  }
  return members;
}

/** The addresses that a member must be created after and destroyed before: the order in which a group is rolled. */
function precedents(
  { member }: MemberWiring,
  members: Members,
  wiring: readonly MemberWiring[],
  target: string | undefined,
): string[] {
  const { group, host, kind } = member;
  const those = (kinds: readonly Member["kind"][], of?: number): string[] =>
    kinds.flatMap((each) => members.get(`${of === undefined ? group : hostName(group, of)} ${each}`) ?? []);
  switch (kind) {
    case "stop-agents":
      return those(["data-attachment"], host);
    case "start-agents":
      return those(["data-attachment", "stop-agents"], host);
    case "config-consul":
      return [...those(["data-attachment", "start-agents"], host), ...serversStarted(wiring)];
    case "leave":
      return those(["host", "data-attachment", "stop-agents", "start-agents", "config-consul"]);
    case "target":
      return those(["config-consul"], host);
    case "ready":
      return those(["leave", "config-consul", "target"]);
    case "revision":
      return [...those(["ready"]), ...(group === target ? configuredBefore(group, wiring) : [])];
    default:
      return [];
  }
}

/** Where Terraform starts the agents, a server has an address once it has been started. */
const serversStarted = (wiring: readonly MemberWiring[]): string[] =>
  wiring.flatMap(({ address, member }) =>
    member.kind === "start-agents" && roleOf(member.pool) === "consul-server" ? [address] : [],
  );

/** Where a Consul server is rolled, the machines of all other groups are configured before it is done. */
function configuredBefore(group: string, wiring: readonly MemberWiring[]): string[] {
  if (roleOf(parseGroupName(group)?.pool ?? "") !== "consul-server") return [];
  return wiring
    .filter(({ member }) => member.kind === "config-consul" && member.group !== group)
    .map(({ address }) => address);
}
