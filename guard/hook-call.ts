import { isDeepStrictEqual } from "node:util";
import {
  hostAddress,
  hostName,
  type Member,
  type MemberKind,
  type PlatformName,
} from "../cluster/address.js";
import { hostNames, type Group } from "../cluster/groups.js";
import { addressesFor, hookWords, networkAddressOn } from "../cluster/hooks/hook-words.js";
import { GATE_ENVIRONMENT, MARK_ENVIRONMENT, MARK_REFERENCE } from "../cluster/hooks/variables.js";
import type { MemberWiring } from "./wiring.js";

/**
 * @param group the desired group, where it may change; a hook of another is called with what is deployed
 * @param laterHosts the hosts of the group that go with a later batch
 * @param program the path that hooks are called by; undefined where any will do
 */
export function callDifference(
  { member, provisioners }: MemberWiring,
  group: Group | undefined,
  program: string | undefined,
  laterHosts: readonly string[] = [],
): string | undefined {
  const when = WHEN[member.kind];
  const [first, ...more] = provisioners;
  if (when === undefined) {
    const isRelic = member.kind === "lb-drained";
    return (
      first && (isRelic ? "of an earlier version: synthesize again" : "it runs a command and is no hook")
    );
  }
  if (!first) return "it runs nothing";
  if (more.length > 0) return "it runs more than one command";
  if (first.others.length > 0) return `it sets ${first.others.join(", ")}`;
  if (first.when !== undefined && first.when !== when) return `it runs on ${first.when}`;
  const { words: called, program: path } = CALL.exec(first.command)?.groups ?? {};
  if (called === undefined || path !== (program ?? path) || !`${called} `.startsWith(`${subjectOf(member)} `))
    return `it runs: ${first.command}`;
  const exact = allWords(member, group, laterHosts);
  return exact === undefined || exact === called
    ? undefined
    : `it is called with: ${called}, not with: ${exact}`;
}

export const consulServers = (wiring: readonly MemberWiring[]): string[] =>
  wiring.flatMap(({ address, member }) =>
    member.kind === "host" && member.pool === "consul-server" ? [address] : [],
  );

/**
 * Every machine is given its own address and those of all Consul servers, `ready` its gate, and each hook that runs on
 * creation the name of its mark.
 */
export function environmentDifference(
  { member, provisioners }: MemberWiring,
  servers: readonly string[],
  platform: PlatformName,
  gate: string,
): string | undefined {
  const addressOf = networkAddressOn[platform];
  const given = provisioners[0]?.environment ?? {};
  const host = hostAddress(platform, member.group, member.host ?? 0, "host");
  const mark = WHEN[member.kind] === "create" ? { [MARK_ENVIRONMENT]: MARK_REFERENCE } : {};
  if (member.kind === "ready")
    return isDeepStrictEqual({ ...given }, { [GATE_ENVIRONMENT]: gate, ...mark })
      ? undefined
      : "it is not told of its gate as it is rendered";
  const addresses =
    addressOf && member.kind === "config-consul" ? addressesFor(addressOf(host), servers.map(addressOf)) : {};
  const wanted = { ...addresses, ...mark };
  return isDeepStrictEqual({ ...given }, wanted) ? undefined : "it is given other addresses";
}

/** A plan may have been made in another folder, where the path to the program is another. */
const CALL =
  /^exec node "(?<program>[^"$`\\\n]*\/dist\/bin\/rollout\.js)" hook (?<words>[a-z0-9,-]+( [a-z0-9,-]+)*)$/;

/** The paths to the program that hooks are called by. */
export const programsOf = (wiring: readonly MemberWiring[]): string[] =>
  wiring.flatMap(({ provisioners }) =>
    provisioners.flatMap(({ command }) => CALL.exec(command)?.groups?.["program"] ?? []),
  );

/** When each hook runs; no other member is one. */
const WHEN: Partial<Record<MemberKind, "create" | "destroy">> = {
  leave: "destroy",
  "stop-agents": "destroy",
  "start-agents": "create",
  "config-consul": "create",
  ready: "create",
};

/** How the call of a hook begins: what is to be done, and with whom. */
const subjectOf = ({ kind, group, host }: Member): string =>
  `${kind === "config-consul" ? "configure-consul" : kind} ${host === undefined ? group : hostName(group, host)}`;

/** What a hook is called with, to the last word; undefined where only a desired group tells. */
function allWords(
  member: Member,
  group: Group | undefined,
  laterHosts: readonly string[],
): string | undefined {
  switch (member.kind) {
    case "leave":
      return group && hookWords.leave(group.name, group.hash, hostNames(group), laterHosts);
    case "ready":
      return group && hookWords.ready(group.name, group.hash);
    case "start-agents":
      return group && hookWords.startAgents(hostName(group.name, member.host ?? 0), group.hash);
    default:
      return subjectOf(member);
  }
}
