import { groupAddress, hostAddress } from "../../cluster/address.js";
import type { DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { hasNumber, onlyAdds } from "../../cluster/numbers.js";
import { deployedHash, deployedHosts, isNew, isConfigured } from "../../cluster/pending.js";
import { ignoresAnything, isSucceededFirst, triggersOf } from "../declared.js";
import { isTainted, type Change } from "../change.js";
import { plannedHost } from "../plan/planned-host.js";
import { type Proposal, type Rule, type StateProposal, isWaiting, numbered } from "../proposal.js";
import { terraformIn } from "../terraform-in.js";
import { refuse, violation, type Violation } from "../verdict.js";
import { listed } from "../listed.js";

/** No machine goes without the hook that makes its work leave, and a group that has left is replaced whole. */
export const leaveHookRuns: Rule = (proposal) => {
  const { target, spec, deployed } = proposal;
  if (spec.protection === "off") return [];
  if (proposal.plan) return leavingByPlan(proposal);
  const broken = groupsOf(spec).flatMap((group) => {
    const mayChange = target === undefined ? isNew(deployed.groups.get(group.name)) : target === group.name;
    return mayChange && proposal.declared.some((resource) => resource.group === group.name)
      ? [...hookBroken(group, proposal), ...leavesUnasked(group, proposal)]
      : [];
  });
  return [...broken, ...succeededFirst(proposal)];
};

/** What the state alone tells of a group that is to be rolled. */
export const leavesUnasked = (group: Group, proposal: StateProposal): Violation[] => [
  ...afterLeave(group, proposal),
  ...taintedUnasked(group, proposal),
];

function hookBroken(group: Group, proposal: Proposal): Violation[] {
  const { declared, deployed, laterHosts, spec } = proposal;
  const mayStay = onlyAdds(numbered(group, proposal), deployed.groups.get(group.name), laterHosts);
  const address = groupAddress(spec.platform, group.name, "leave");
  const hook = declared.find((resource) => resource.address === address);
  const hash = hook && triggersOf(hook)["hash"];
  const why =
    hook === undefined
      ? "it is not declared"
      : (ignoresAnything(hook) || hook.preventsDestroy) && !mayStay
        ? "it is frozen in the view that must replace it"
        : hash !== group.hash
          ? `its trigger hash is ${String(hash)}, desired ${group.hash}`
          : undefined;
  if (why === undefined) return [];
  return violation("leave-hook-runs", [address], {
    message: `machines of ${group.name} could go before their work has left: ${address}: ${why}`,
    remedy: "leave the hook as it is rendered; remove the override",
  });
}

/**
 * Terraform passes create_before_destroy on to all that a resource depends on, and runs no destroy hook there. So in the
 * view of a group nothing has it, and in the cluster view nothing of a group.
 */
function succeededFirst({ declared, target }: Proposal): Violation[] {
  const addresses = declared
    .filter(
      (resource) => (resource.group !== undefined || target !== undefined) && isSucceededFirst(resource),
    )
    .map(({ address }) => address);
  return refuse("leave-hook-runs", addresses, {
    message: "create_before_destroy would keep leave hooks from running",
    remedy: "remove it: here the old goes first, once its work has left",
  });
}

/**
 * Where a roll was cut off once `leave` was destroyed, no hook runs any more. Terraform destroys the `config_consul` of
 * the machines that have left right after it. So those that are configured have not left, as where only the number of hosts
 * was changed: they may stay and may not go. Those that have left may go and may not stay.
 */
function afterLeave(desired: Group, proposal: StateProposal): Violation[] {
  const { deployed, spec } = proposal;
  const group = numbered(desired, proposal);
  const current = deployed.groups.get(group.name);
  if (!current || isNew(current)) return [];
  if (current.leave) return afterBatch(group, current);
  const joined = current.hosts.filter((host) => isConfigured(host, current, spec.platform));
  const leaving = joined.filter(
    ({ number, hash }) =>
      (hash !== group.hash || !hasNumber(group, number)) &&
      !isWaiting(proposal, { group: group.name, host: number }),
  );
  const hasLeft = deployedHash(current) === group.hash && joined.every(({ hash }) => hash !== group.hash);
  const left = hasLeft ? current.hosts.filter(({ hash }) => hash === group.hash) : [];
  return [
    ...(leaving.length > 0 ? goesUnasked(group, leaving) : []),
    ...(left.length > 0 ? leftByHalf(group, left) : []),
  ];
}

/**
 * Where a group has gone over to another template in part, what has not may get no work since the first batch, so it cannot
 * stay where the group is set back.
 */
function afterBatch(group: Group, current: DeployedGroup): Violation[] {
  const { hosts, ready, leaveFor } = current;
  // New machines have come beside the old ones, and none of these was made to leave.
  if (leaveFor?.hash === group.hash) return [];
  if (ready === undefined || ready.hash === group.hash || deployedHash(current) !== group.hash) return [];
  const left = hosts.filter(({ hash }) => hash === group.hash);
  return left.length > 0 && left.length < hosts.length ? leftByHalf(group, left) : [];
}

function goesUnasked(group: Group, hosts: readonly DeployedHost[]): Violation[] {
  const described = hosts.map(({ name, image }) => `${name} (${image})`).join(", ");
  const names = hosts.map(({ name }) => name);
  return violation("leave-hook-runs", names, {
    message: `${group.name} has no leave in the state, so these hosts would go before their work has left: ${described}`,
    remedy:
      group.role === "client" && hosts.every(({ number }) => hasNumber(group, number))
        ? `make its leave anew and go on with: rollout deploy ${group.name}`
        : `set ${group.name} back to what they run and deploy it, so that its leave is there again; then change it`,
  });
}

/** Machines of the template that left cannot stay: they are ineligible and out of Consul. */
function leftByHalf(group: Group, hosts: readonly DeployedHost[]): Violation[] {
  const names = hosts.map(({ name }) => name);
  return violation("leave-hook-runs", names, {
    message: `${group.name} has left, so these hosts cannot stay as they are: ${listed(names)}`,
    remedy: `raise generations[${String(group.index)}] of pool ${group.pool} to replace the group whole, or take the image that it was being rolled to`,
  });
}

/** A machine of the desired template that is tainted is replaced, and nothing makes `leave` run for it. */
function taintedUnasked(group: Group, proposal: StateProposal): Violation[] {
  const { deployed, spec } = proposal;
  const current = deployed.groups.get(group.name);
  if (!current || isNew(current) || !current.leave) return [];
  if (deployedHash(current) !== group.hash || deployedHosts(current) !== group.hosts) return [];
  const tainted = current.hosts
    .map(({ number }) => hostAddress(spec.platform, group.name, number, "host"))
    .filter((address) => current.tainted.includes(address) && !current.dead?.includes(address));
  return taintedGoes(group, tainted, proposal);
}

function taintedGoes(
  group: Group,
  hosts: readonly string[],
  proposal: Pick<Proposal, "spec" | "view">,
): Violation[] {
  return refuse("leave-hook-runs", hosts, {
    message: `tainted hosts of ${group.name} would be replaced, and no hook would make their work leave`,
    remedy: `${hosts.map((address) => `run: ${terraformIn(proposal)} untaint ${address}`).join("; ")}; then raise generations[${String(group.index)}] of pool ${group.pool} to replace the group whole`,
  });
}

/** The same of a plan, which says itself which machines go. */
function leavingByPlan(proposal: Proposal): Violation[] {
  const { changes, target, deployed, spec } = proposal;
  const group = groupsOf(spec).find(({ name }) => name === target);
  const current = deployed.groups.get(target ?? "");
  if (!group || !current || isNew(current)) return [];
  const leaving = changes.filter(
    ({ group: of, member, action, planned, address }) =>
      of === target &&
      member?.kind === "host" &&
      !current.dead?.includes(address) &&
      planned?.deposed === undefined &&
      (action === "replace" || action === "delete"),
  );
  return [
    ...goneWithoutHook(group, leaving, proposal),
    ...replacedThoughTheyStay(group, leaving, deployed),
    ...afterLeave(group, proposal),
  ];
}

/**
 * Where machines of a deployed group go, `leave` is destroyed with its hook before them. Only a group that has left already,
 * so that its `leave` is gone from the state, is replaced without.
 */
function goneWithoutHook(group: Group, leaving: readonly Change[], proposal: Proposal): Violation[] {
  const { changes, deployed, spec } = proposal;
  const { name } = group;
  if (leaving.length === 0 || !deployed.groups.get(name)?.leave) return [];
  const leave = groupAddress(spec.platform, name, "leave");
  const own = changes.find(({ address }) => address === leave);
  if (own && runsItsHook(own, deployed)) return [];
  const tainted = leaving.filter((change) => isTainted(change, deployed));
  if (tainted.length === leaving.length)
    return taintedGoes(
      group,
      tainted.map(({ address }) => address),
      proposal,
    );
  return violation("leave-hook-runs", [leave], {
    message: `${counted(leaving.length, "machine")} of ${name} would go before their work has left, since the hook of ${leave} would not run`,
    remedy: `plan the view as it is synthesized, without -target and -replace: rollout plan ${name}`,
  });
}

/** `leave` is told that machines of the new template stay, so it lets them work on, whoever replaces them. */
function replacedThoughTheyStay(
  group: Group,
  leaving: readonly Change[],
  deployed: Proposal["deployed"],
): Violation[] {
  const hosts = deployed.groups.get(group.name)?.hosts ?? [];
  const staying = leaving.filter(
    (change) =>
      change.action === "replace" &&
      !isTainted(change, deployed) &&
      hosts.some(
        ({ number, hash }) =>
          number === change.member?.host &&
          hash === (plannedHost(change.address, change.planned?.after).hash ?? group.hash),
      ),
  );
  const addresses = staying.map(({ address }) => address);
  return refuse("leave-hook-runs", addresses, {
    message: `hosts of ${group.name} would be replaced by the same template, so that leave would let their work stay`,
    remedy: `raise generations[${String(group.index)}] of pool ${group.pool} to replace the group whole`,
  });
}

/** A destroy hook runs when its resource goes first, and never when it is tainted. */
const runsItsHook = (change: Change, deployed: Proposal["deployed"]): boolean =>
  change.planned?.actions[0] === "delete" && !isTainted(change, deployed);

const counted = (count: number, word: string): string => `${String(count)} ${word}${count === 1 ? "" : "s"}`;
