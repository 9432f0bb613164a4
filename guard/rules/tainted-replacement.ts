import { parseAddress, type MemberKind } from "../../cluster/address.js";
import type { DeployedGroup } from "../../cluster/deployed.js";
import { isTainted, type Change } from "../change.js";
import { isWaiting, type Proposal, type Rule, type StateProposal } from "../proposal.js";
import { terraformIn } from "../terraform-in.js";
import type { Violation } from "../verdict.js";

/**
 * What is tainted is replaced without its destroy hooks. So a tainted `leave` means that work would not leave, and a tainted member of a foreign group would be replaced by whatever view comes first. A tainted `start-agents`
 * is the start that failed, unless its group is ready.
 */
export const taintedReplacement: Rule = (proposal) => [...ofPlan(proposal), ...neverDestroyed(proposal)];

/** Data and history outlive everything, and a machine that waits is frozen: with a taint on them every plan fails. */
export function neverDestroyed(proposal: StateProposal): Violation[] {
  const { plan, spec, deployed } = proposal;
  if (plan || spec.protection === "off") return [];
  const addresses = [...deployed.groups.values()].flatMap(({ tainted }) => tainted).sort();
  return addresses.flatMap((address) => {
    const member = parseAddress(address);
    if (member?.kind === "data" || member?.kind === "revision")
      return untainted(address, "so it would be replaced, and it is never destroyed", proposal);
    return member && member.kind !== "config-consul" && isWaiting(proposal, member)
      ? untainted(address, "so it would be replaced, and its machine works on until a later batch", proposal)
      : [];
  });
}

const untainted = (address: string, why: string, proposal: StateProposal): Violation => ({
  rule: "tainted-replacement",
  subjects: [address],
  message: `${address} is tainted, ${why}`,
  remedy: `run: ${terraformIn(proposal)} untaint ${address}`,
});

function ofPlan(proposal: Proposal): Violation[] {
  const { changes, target, deployed } = proposal;
  const tainted = changes.filter(
    (change) => change.group !== undefined && change.planned !== undefined && isTainted(change, deployed),
  );
  const foreign = tainted.filter(
    ({ group, member }) => group !== target && target !== undefined && member?.kind !== "config-consul",
  );
  const own = (kind: MemberKind): Change[] =>
    tainted.filter(({ group, member }) => group === target && member?.kind === kind);
  return [
    ...foreign.map(({ address, group }) => ({
      rule: "tainted-replacement" as const,
      subjects: [address],
      message: `${address} is tainted, and any view would replace it, though it is ${String(group)}'s`,
      remedy: `finish ${String(group)} first with: rollout deploy ${String(group)}`,
    })),
    ...own("stop-agents").map(({ address }) =>
      untainted(address, "so it would be replaced without its hook, and what it stops would go on", proposal),
    ),
    ...own("start-agents")
      .filter(({ group = "" }) => isReady(deployed.groups.get(group)))
      .map(({ address }) => untainted(address, "so agents that have work would be started anew", proposal)),
    ...own("leave").map(({ address }) =>
      untainted(address, "so it would be replaced without its hook, and no work would leave", proposal),
    ),
  ];
}

/** Whether the gate was passed for what is there: a start that failed had it destroyed before. */
const isReady = (group: DeployedGroup | undefined): boolean =>
  group?.ready !== undefined &&
  group.leave &&
  !group.tainted.some((address) => parseAddress(address)?.kind === "ready");
