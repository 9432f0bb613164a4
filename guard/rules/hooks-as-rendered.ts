import { isDeepStrictEqual } from "node:util";
import { hostAddress, hostName, parseGroupName, type Member, type PlatformName } from "../../spec/address.js";
import { groupsOf, roleOf, type Group } from "../../spec/groups.js";
import { addressesFor, hookWords, networkAddressOn } from "../../spec/hook-words.js";
import { isNew } from "../../spec/pending.js";
import { listed } from "../listed.js";
import type { Proposal, Rule } from "../proposal.js";
import type { RuleId, Violation } from "../verdict.js";
import type { Wiring } from "../wiring.js";

const RULE: RuleId = "hooks-as-rendered";

/**
 * Every hook runs what this program renders, fails Terraform when it fails, and stands in its order: a `leave` that does
 * nothing, or that is destroyed after its machine, drains nobody. No other member runs anything. Where a group is frozen
 * only its `config_consul` can run.
 */
export const hooksAsRendered: Rule = (proposal) => {
  const { spec, target, deployed } = proposal;
  if (spec.protection === "off") return [];
  const changing = new Map(
    groupsOf(spec)
      .filter(({ name }) => (target === undefined ? isNew(deployed.groups.get(name)) : target === name))
      .map((group) => [group.name, group]),
  );
  const running = proposal.wiring.filter(
    ({ member }) => member.kind === "config-consul" || changing.has(member.group),
  );
  const servers = consulServers(proposal.wiring);
  const otherwise = running.flatMap((wiring) => {
    const why =
      differenceOf(wiring, changing.get(wiring.member.group)) ??
      environmentDifference(wiring, servers, spec.platform);
    return why === undefined ? [] : [`${wiring.address} (${why})`];
  });
  const members = membersByGroup(proposal.wiring.filter(({ member }) => changing.has(member.group)));
  const early = running.flatMap((wiring) => {
    if (!changing.has(wiring.member.group)) return [];
    const after = new Set(wiring.after);
    const missing = precedents(wiring, members, proposal).filter((address) => !after.has(address));
    return missing.length === 0 ? [] : [`${wiring.address} (${listed(missing.sort())})`];
  });
  return [
    ...(otherwise.length > 0 ? [runsOtherwise(otherwise)] : []),
    ...(early.length > 0 ? [outOfOrder(early)] : []),
  ];
};

/** @param group the desired group, where it may change; a hook of another is called with what is deployed */
function differenceOf({ member, provisioners }: Wiring, group: Group | undefined): string | undefined {
  const wanted = expected(member);
  const [first, ...more] = provisioners;
  if (wanted === undefined) return first ? "it runs a command and is no hook" : undefined;
  if (!first) return "it runs nothing";
  if (more.length > 0) return "it runs more than one command";
  if (first.others.length > 0) return `it sets ${first.others.join(", ")}`;
  if (first.when !== undefined && first.when !== wanted.when) return `it runs on ${first.when}`;
  const called = CALL.exec(first.command)?.groups?.["words"];
  if (called === undefined || !(called === wanted.subject || called.startsWith(`${wanted.subject} `)))
    return `it runs: ${first.command}`;
  const exact = group && allWords(member, group);
  return exact === undefined || exact === called
    ? undefined
    : `it is called with: ${called}, not with: ${exact}`;
}

const consulServers = (wiring: readonly Wiring[]): string[] =>
  wiring.flatMap(({ address, member }) =>
    member.kind === "host" && member.pool === "consul-server" ? [address] : [],
  );

/** Every machine is given its own address and those of all Consul servers, and no other hook is given anything. */
function environmentDifference(
  { member, provisioners }: Wiring,
  servers: readonly string[],
  platform: PlatformName,
): string | undefined {
  const addressOf = networkAddressOn[platform];
  const given = provisioners[0]?.environment ?? {};
  const host = hostAddress(platform, member.group, member.host ?? 0, "host");
  const wanted =
    addressOf && member.kind === "config-consul" ? addressesFor(addressOf(host), servers.map(addressOf)) : {};
  return isDeepStrictEqual({ ...given }, wanted) ? undefined : "it is given other addresses";
}

/** Any path to the program: a plan may have been made in another folder. */
const CALL = /^exec node "[^"$`\\\n]*\/dist\/bin\/rollout\.js" hook (?<words>[a-z0-9,-]+( [a-z0-9,-]+)*)$/;

function expected({
  kind,
  group,
  host = 0,
}: Member): { when: "create" | "destroy"; subject: string } | undefined {
  switch (kind) {
    case "leave":
      return { when: "destroy", subject: `leave ${group}` };
    case "lb-drained":
      return { when: "destroy", subject: hookWords.lbDrained(hostName(group, host)) };
    case "ready":
      return { when: "create", subject: `ready ${group}` };
    case "config-consul":
      return { when: "create", subject: hookWords.configureConsul(hostName(group, host)) };
    default:
      return undefined;
  }
}

/** What a hook is called with, to the last word. */
function allWords({ kind }: Member, { name, hash, hosts }: Group): string | undefined {
  switch (kind) {
    case "leave":
      return hookWords.leave(
        name,
        hash,
        Array.from({ length: hosts }, (_, number) => hostName(name, number)),
      );
    case "ready":
      return hookWords.ready(name, hash);
    default:
      return undefined;
  }
}

type Members = ReadonlyMap<string, readonly string[]>;

/** Addresses by group and kind, and by host and kind. */
function membersByGroup(wiring: readonly Wiring[]): Members {
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
function precedents({ member }: Wiring, members: Members, { wiring, target }: Proposal): string[] {
  const { group, host, kind } = member;
  const those = (kinds: readonly Member["kind"][], of?: number): string[] =>
    kinds.flatMap((each) => members.get(`${of === undefined ? group : hostName(group, of)} ${each}`) ?? []);
  switch (kind) {
    case "config-consul":
      return those(["data-attachment"], host);
    case "leave":
      return those(["host", "data-attachment", "config-consul"]);
    case "lb-drained":
      return those(["leave"]);
    case "target":
      return those(["lb-drained"], host);
    case "ready":
      return those(["leave", "config-consul", "target"]);
    case "revision":
      return [...those(["ready"]), ...(group === target ? toldOf(group, wiring) : [])];
    default:
      return [];
  }
}

/** Where a Consul server is rolled, the machines of all other groups are told before it is done. */
function toldOf(group: string, wiring: readonly Wiring[]): string[] {
  if (roleOf(parseGroupName(group)?.pool ?? "") !== "consul-server") return [];
  return wiring
    .filter(({ member }) => member.kind === "config-consul" && member.group !== group)
    .map(({ address }) => address);
}

function runsOtherwise(hooks: readonly string[]): Violation {
  return {
    rule: RULE,
    subjects: hooks.map((hook) => hook.replace(/ \(.*$/s, "")).sort(),
    message: `hooks would not run what they are rendered with: ${listed([...hooks].sort())}`,
    remedy: "leave the hooks as they are rendered; remove the override",
  };
}

function outOfOrder(members: readonly string[]): Violation {
  return {
    rule: RULE,
    subjects: members.map((member) => member.replace(/ \(.*$/s, "")).sort(),
    message: `members of groups would not wait for what comes before them: ${listed([...members].sort())}`,
    remedy: "leave depends_on as it is rendered; remove the override",
  };
}
