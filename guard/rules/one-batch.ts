import { isDeepStrictEqual } from "node:util";
import { hostName } from "../../cluster/address.js";
import type { DeployedGroup } from "../../cluster/deployed.js";
import { gateSettingsOf } from "../../cluster/gate-settings.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { hasNumber, numbersOf } from "../../cluster/numbers.js";
import { isMade, isOutOfSurge } from "../../cluster/pending.js";
import { describeChange, isTainted } from "../change.js";
import { listed } from "../listed.js";
import { type Proposal, type Rule, isWaiting, numbered } from "../proposal.js";
import { refuse, type Violation } from "../verdict.js";

/**
 * Where a group is replaced a few machines at a time, those that wait for a later batch are as they are deployed, no more go
 * than `maxUnavailable` says, and the group stays in flight. A view that leaves none waiting is of the whole group, or of
 * its last batch. Servers go one at a time, whoever makes the plan.
 */
export const oneBatch: Rule = (proposal) => {
  const { laterHosts = [], target, spec } = proposal;
  const group = groupsOf(spec).find(({ name }) => name === target);
  const others = group ? otherNumbers(group, proposal) : [];
  if (others.length > 0) return others;
  const isServer = group !== undefined && group.role !== "client";
  if (laterHosts.length === 0 && proposal.inBatches !== true) return isServer ? tooMany(group, proposal) : [];
  if (!group) return cannotWait(proposal.view, laterHosts);
  return [
    ...waitsForNothing(group, proposal),
    ...touched(group, proposal),
    ...tooMany(group, proposal),
    ...openGate(group, proposal),
  ];
};

/**
 * The numbers of a group's hosts are what is deployed says, or machines would go and come for nothing. In a surge more may
 * stand, and those go that are not needed.
 */
function otherNumbers(group: Group, { deployed, numbers, plan, spec }: Proposal): Violation[] {
  const current = deployed.groups.get(group.name);
  const wanted = numbersOf(group, current);
  if (numbers === undefined || isDeepStrictEqual(numbers, wanted)) return [];
  if (group.role !== "client" && current && plan?.gate !== "open" && isNextToGo(current, numbers, wanted))
    return [];
  const { maxSurge, maxUnavailable } = gateSettingsOf(group.pool, spec);
  const isOld = ({ hash }: { readonly hash: string }): boolean => hash !== group.hash;
  if (current && maxSurge > 0 && current.hosts.some(isOld)) {
    const working = current.hosts.filter(
      (host) =>
        !isOutOfSurge(host, current, group.hash, spec.platform) &&
        (isOld(host) || isMade(host, current, spec.platform)),
    );
    const going = working.filter(({ number }) => !numbers.includes(number));
    const made = numbers.filter((number) => !current.hosts.some((host) => host.number === number));
    const isTooMany = made.length > 0 && numbers.length > group.hosts + maxSurge;
    const isTooFew =
      going.some((host) => !isOld(host)) || working.length - going.length < group.hosts - maxUnavailable;
    const added = isTooMany ? made.map((number) => hostName(group.name, number)) : [];
    const names = [...added, ...(isTooFew ? going.map(({ name }) => name) : [])];
    return refuse("one-batch", names, {
      message: `the machines of ${group.name} would be ${String(numbers.length)}, ${String(working.length - going.length)} of them at work now, and pools.${group.pool}.maxSurge is ${String(maxSurge)} and maxUnavailable ${String(maxUnavailable)}`,
      remedy: `make the plan by: rollout deploy ${group.name}`,
    });
  }
  return refuse("one-batch", [group.name], {
    message: `${group.name} would have the hosts ${listed(numbers.map(String))}, by what is deployed ${listed(wanted.map(String))}`,
    remedy: "synthesize and plan again",
  });
}

/** Whether of servers that go for good one goes, and the others still stand. */
function isNextToGo(
  { hosts }: DeployedGroup,
  numbers: readonly number[],
  wanted: readonly number[],
): boolean {
  const going = hosts.filter(({ number }) => !wanted.includes(number));
  const more = going.filter(({ number }) => numbers.includes(number));
  return (
    wanted.every((number) => numbers.includes(number)) &&
    numbers.length === wanted.length + more.length &&
    more.length === going.length - 1
  );
}

/** Only a machine of an older template waits, and no server alone: any other would be hidden from the rules for no reason. */
function waitsForNothing(desired: Group, proposal: Proposal): Violation[] {
  const { deployed, laterHosts = [] } = proposal;
  const group = numbered(desired, proposal);
  const { hosts = [] } = deployed.groups.get(group.name) ?? {};
  const mayWait = group.role === "client" || Math.max(group.hosts, hosts.length) > 1;
  const old = hosts.filter(({ number, hash }) => mayWait && hasNumber(group, number) && hash !== group.hash);
  const wrong = laterHosts.filter((name) => !old.some((host) => host.name === name));
  return cannotWait(group.name, wrong);
}

const cannotWait = (group: string, hosts: readonly string[]): Violation[] =>
  refuse("one-batch", hosts, {
    message: `hosts of ${group} cannot wait for a later batch, since none of them is a client's of an older template`,
    remedy: `synthesize and plan again; batches are made by: rollout deploy ${group}`,
  });

/** `config_consul` follows the Consul servers, wherever its machine stands. */
function touched(group: Group, proposal: Proposal): Violation[] {
  const own = proposal.changes.filter(
    ({ member, action }) =>
      member !== undefined &&
      isWaiting(proposal, member) &&
      !(member.kind === "config-consul" && action !== "delete"),
  );
  return refuse("one-batch", own.map(describeChange), {
    message: `machines of ${group.name} that wait for a later batch would change`,
    remedy: "declare them as they are deployed; remove the override",
  });
}

/**
 * Machines that are out already do not go any more: those of a group that has left, and what is tainted. Which server has left
 * no state tells, and none goes while another is made or goes for good.
 */
function tooMany(group: Group, { changes, deployed, spec, plan }: Proposal): Violation[] {
  const isServer = group.role !== "client";
  if (isServer ? !plan : deployed.groups.get(group.name)?.leave !== true) return [];
  const { maxUnavailable } = gateSettingsOf(group.pool, spec);
  const own = changes.filter(
    ({ group: of, member, planned }) =>
      of === group.name && member?.kind === "host" && planned?.deposed === undefined,
  );
  const updating = own.filter((change) => change.action === "replace" && !isTainted(change, deployed));
  const going = own.filter(({ action }) => action === "delete");
  const leaving = going.filter((change) => !isTainted(change, deployed));
  const isBeside = leaving.length > 0 && own.some(({ action }) => action === "replace");
  const out = isServer && (updating.length > 0 || leaving.length > 1 || isBeside) ? own : updating;
  if (out.length <= maxUnavailable) return [];
  const names = out.map(({ member }) => hostName(group.name, member?.host ?? 0));
  if (isServer) {
    return refuse("one-batch", names, {
      message: `${String(out.length)} servers of ${group.name} would be out at once, and servers go one at a time`,
      remedy: `roll it by: rollout deploy ${group.name}`,
    });
  }
  return refuse("one-batch", names, {
    message: `${String(updating.length)} machines of ${group.name} would be replaced at once, and pools.${group.pool}.maxUnavailable is ${String(maxUnavailable)}`,
    remedy: `make the plan by: rollout deploy ${group.name}`,
  });
}

const openGate = (group: Group, { plan, laterHosts = [] }: Proposal): Violation[] =>
  refuse("one-batch", plan?.gate === "open" ? laterHosts : [], {
    message: `${group.name} would be recorded as whole while machines wait for a later batch`,
    remedy: `make the plan by: rollout deploy ${group.name}, which keeps the gate closed`,
  });
