import { hostAddress, parseAddress } from "../../cluster/address.js";
import { attemptsOf } from "../../cluster/attempts.js";
import { groupsOf } from "../../cluster/groups.js";
import { isNew } from "../../cluster/pending.js";
import { triggersOf, type DeclaredResource } from "../declared.js";
import type { Plan } from "../plan/plan.js";
import type { Proposal, Rule } from "../proposal.js";
import { refuse, type Violation } from "../verdict.js";

/**
 * When a Consul server goes, every machine must learn the new address: in the view of a Consul group every
 * `config_consul` names all servers and is replaced with the one that goes. Else none outside the group is, but where the
 * cluster view creates a Consul server, or the state does not prove that each has been told of the last.
 */
export const configConsulRefresh: Rule = (proposal) => {
  if (proposal.plan) return refreshPlanned(proposal, proposal.plan);
  const all = proposal.declared.filter(({ member }) => member?.kind === "config-consul");
  const target = groupsOf(proposal.spec).find(({ name }) => name === proposal.target);
  const servers = serverAddresses(proposal);
  if (target?.role === "consul-server") {
    const replaced = proposal.declared
      .filter(({ member, group }) => group === target.name && member?.kind === "host")
      .map(addressOf);
    const deaf = all.filter((resource) => !hears(resource, servers, replaced));
    return [...notRefreshed(deaf.map(addressOf), target.name), ...notDeclared(hostsWithout(proposal))];
  }
  if (createsConsulServer(proposal) || proposal.spec.protection === "off") return [];
  const eager = all.filter((resource) => isForeign(resource, proposal) && mayRun(resource, proposal));
  return refreshedForNothing(eager, proposal.target);
};

const addressOf = ({ address }: { readonly address: string }): string => address;

/** Whether the cluster view makes a Consul server, of which machines that stand already must learn. */
const createsConsulServer = ({ target, spec, deployed }: Proposal): boolean =>
  target === undefined &&
  groupsOf(spec).some(({ name, role }) => role === "consul-server" && isNew(deployed.groups.get(name)));

const isForeign = ({ group = "" }: DeclaredResource, { target, deployed }: Proposal): boolean =>
  target === undefined ? !isNew(deployed.groups.get(group)) : group !== target;

const mayRun = (
  { address, ignoresChanges, triggeredBy }: DeclaredResource,
  { deployed }: Proposal,
): boolean => triggeredBy.length > 0 || !ignoresChanges || !deployed.addresses.has(address);

const serverAddresses = ({ declared }: Proposal): string[] =>
  declared.filter(({ member }) => member?.kind === "host" && member.pool === "consul-server").map(addressOf);

function hears(resource: DeclaredResource, servers: readonly string[], replaced: readonly string[]): boolean {
  const named = String(triggersOf(resource)["servers"]);
  const triggered = replaced.every((server) =>
    resource.triggeredBy.some((by) => by === `${server}.id` || by === server),
  );
  return (
    !resource.ignoresChanges && triggered && servers.every((server) => named.includes(`\${${server}.id}`))
  );
}

/** Deployed hosts whose `config_consul` is not declared. A group that has left is configured once its own roll goes on. */
function hostsWithout({ declared, deployed }: Proposal): string[] {
  const configured = new Set(
    declared.flatMap(({ member }) =>
      member?.kind === "config-consul" ? [`${member.group}-${String(member.host)}`] : [],
    ),
  );
  return declared.flatMap(({ member, address }) => {
    if (member?.kind !== "host" || configured.has(`${member.group}-${String(member.host)}`)) return [];
    const group = deployed.groups.get(member.group);
    return group?.leave && !isNew(group) ? [address] : [];
  });
}

const notRefreshed = (deaf: readonly string[], target: string): Violation[] =>
  refuse("config-consul-refresh", deaf, {
    message: `${String(deaf.length)} config_consul would not learn of the new ${target}`,
    remedy:
      "give each the ids of all Consul servers as a trigger, replace_triggered_by on the server that goes, and no ignore_changes",
  });

const notDeclared = (hosts: readonly string[]): Violation[] =>
  refuse("config-consul-refresh", hosts, {
    message: "no config_consul would tell these machines of the new Consul server",
    remedy: "declare a config_consul for each host; remove the override",
  });

const refreshedForNothing = (eager: readonly { address: string }[], target = "cluster"): Violation[] =>
  refuse("config-consul-refresh", eager.map(addressOf), {
    message: `config_consul of other groups could be replaced in the view ${target}, which replaces no Consul server`,
    remedy: "render them with ignore_changes and without replace_triggered_by",
  });

/** The same of a plan: once a Consul server is made, every machine that will be there is configured; else none outside. */
function refreshPlanned({ changes, target, deployed, spec }: Proposal, { resources }: Plan): Violation[] {
  const made = changes.filter(
    ({ member, action }) =>
      member?.kind === "host" &&
      member.pool === "consul-server" &&
      (action === "create" || action === "replace"),
  );
  if (made.length === 0) {
    const eager = changes.filter(
      ({ member, group, action }) =>
        member?.kind === "config-consul" &&
        action !== "delete" &&
        group !== target &&
        !isNew(deployed.groups.get(group ?? "")),
    );
    const isDue = eager.length > 0 && attemptsOf({ spec, deployed }, target).consulRoll !== undefined;
    return isDue ? [] : refreshedForNothing(eager, target);
  }
  const configured = new Set(
    changes.filter(({ action }) => action === "create" || action === "replace").map(addressOf),
  );
  const deaf = resources.flatMap(({ address, actions, deposed }) => {
    const member = parseAddress(address);
    const stays = !actions.includes("delete") || actions.includes("create");
    if (member?.kind !== "host" || member.host === undefined || !stays || deposed !== undefined) return [];
    const hook = hostAddress(spec.platform, member.group, member.host, "config-consul");
    return configured.has(hook) ? [] : [hook];
  });
  return notRefreshed(deaf, target ?? "Consul servers");
}
