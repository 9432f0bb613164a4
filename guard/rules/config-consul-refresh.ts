import { groupsOf } from "../../spec/groups.js";
import { isNew } from "../../spec/pending.js";
import { triggersOf, type DeclaredResource } from "../declared.js";
import type { Proposal, Rule } from "../proposal.js";
import type { Violation } from "../verdict.js";

/**
 * When a Consul server goes, every machine must learn the new address: in the view of a Consul group every
 * `config_consul` names all servers and is replaced with the one that goes. In any other view none outside the group is.
 */
export const configConsulRefresh: Rule = (proposal) => {
  const all = proposal.declared.filter(({ member }) => member?.kind === "config-consul");
  const target = groupsOf(proposal.spec).find(({ name }) => name === proposal.target);
  const servers = serverAddresses(proposal);
  if (target?.role === "consul-server") {
    const replaced = proposal.declared
      .filter(({ member, group }) => group === target.name && member?.kind === "host")
      .map(({ address }) => address);
    const deaf = all.filter((resource) => !hears(resource, servers, replaced));
    const missing = hostsWithout(proposal);
    return [
      ...(deaf.length > 0 ? [notRefreshed(deaf, proposal)] : []),
      ...(missing.length > 0 ? [notDeclared(missing)] : []),
    ];
  }
  if (proposal.target === undefined) return [];
  const eager = all.filter(
    ({ group, ignoresChanges, triggeredBy }) =>
      group !== proposal.target && (triggeredBy.length > 0 || !ignoresChanges),
  );
  return eager.length > 0 ? [refreshedForNothing(eager, proposal)] : [];
};

const serverAddresses = ({ declared }: Proposal): string[] =>
  declared
    .filter(({ member }) => member?.kind === "host" && member.pool === "consul-server")
    .map(({ address }) => address);

function hears(resource: DeclaredResource, servers: readonly string[], replaced: readonly string[]): boolean {
  const named = String(triggersOf(resource)["servers"]);
  const triggered = replaced.every((server) =>
    resource.triggeredBy.some((by) => by === `${server}.id` || by === server),
  );
  return (
    !resource.ignoresChanges && triggered && servers.every((server) => named.includes(`\${${server}.id}`))
  );
}

/** Deployed hosts whose `config_consul` is not declared at all. */
function hostsWithout({ declared, deployed }: Proposal): string[] {
  const told = new Set(
    declared.flatMap(({ member }) =>
      member?.kind === "config-consul" ? [`${member.group}-${String(member.host)}`] : [],
    ),
  );
  return declared.flatMap(({ member, address }) =>
    member?.kind === "host" &&
    !isNew(deployed.groups.get(member.group)) &&
    !told.has(`${member.group}-${String(member.host)}`)
      ? [address]
      : [],
  );
}

function notRefreshed(deaf: readonly DeclaredResource[], { target }: Proposal): Violation {
  const addresses = deaf.map(({ address }) => address).sort();
  return {
    rule: "config-consul-refresh",
    subjects: addresses,
    message: `${String(addresses.length)} config_consul would not learn of the new ${String(target)}: ${addresses.join(", ")}`,
    remedy:
      "give each the ids of all Consul servers as a trigger, replace_triggered_by on the server that goes, and no ignore_changes",
  };
}

function notDeclared(hosts: readonly string[]): Violation {
  return {
    rule: "config-consul-refresh",
    subjects: [...hosts].sort(),
    message: `hosts have no config_consul to learn of the new Consul server by: ${[...hosts].sort().join(", ")}`,
    remedy: "declare one for each host",
  };
}

function refreshedForNothing(eager: readonly DeclaredResource[], { target }: Proposal): Violation {
  const addresses = eager.map(({ address }) => address).sort();
  return {
    rule: "config-consul-refresh",
    subjects: addresses,
    message: `config_consul of other groups could be replaced in the view of ${String(target)}, which has no Consul server: ${addresses.join(", ")}`,
    remedy: "render them with ignore_changes and without replace_triggered_by",
  };
}
