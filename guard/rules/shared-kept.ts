import { isSharedAddress } from "../../cluster/shared-address.js";
import { describeChange, type Change } from "../change.js";
import { isEndOfLeftover } from "../leftovers.js";
import type { Proposal, Rule } from "../proposal.js";
import type { Violation } from "../verdict.js";
import { listed } from "../listed.js";

/**
 * Shared parts, such as a pool's load balancer, serve all three groups: the cluster view creates them and updates them in
 * place, nothing replaces or deletes them, and the view of a group leaves them alone. A load balancer goes with its pool,
 * once that has retired.
 */
export const sharedKept: Rule = (proposal) => [
  ...deleted(proposal),
  ...notInPlace(proposal),
  ...changedByGroup(proposal),
];

function deleted(proposal: Proposal): Violation[] {
  const { changes, spec, plan } = proposal;
  const isEnd = isEndOfLeftover(proposal);
  // Drift may say that one is gone; then what still declares it would make it anew.
  const claimed = (plan?.gone ?? []).filter((address) => isSharedAddress(address, spec));
  const gone = [...changes, ...claimed.map((address): Change => ({ address, action: "delete" }))]
    .filter((change) => change.group === undefined && change.action === "delete" && !isEnd(change))
    .map(({ address }) => address);
  if (gone.length === 0 || spec.protection === "off") return [];
  return [
    {
      rule: "shared-kept",
      subjects: gone.sort(),
      message: `shared parts would be destroyed: ${listed(gone)}`,
      remedy:
        "put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL",
    },
  ];
}

function notInPlace({ changes, spec }: Proposal): Violation[] {
  const odd = changes.filter(
    ({ group, member, action, displaced, from }) =>
      group === undefined &&
      !member &&
      (displaced === undefined
        ? spec.protection !== "off" && ["replace", "forget", "unknown"].includes(action)
        : from === undefined),
  );
  if (odd.length === 0) return [];
  return [
    {
      rule: "shared-kept",
      subjects: odd.map(({ address }) => address).sort(),
      message: `shared parts would not stay what they are: ${listed(odd.map(describeChange).sort())}`,
      remedy:
        "change only what Terraform can update in place; a replaced target group is empty for all three groups",
    },
  ];
}

function changedByGroup({ target, view, changes, declared }: Proposal): Violation[] {
  if (target === undefined) return [];
  const created = changes
    .filter(({ group, action }) => group === undefined && (action === "create" || action === "update"))
    .map(({ address }) => address);
  const thawed = declared
    .filter(
      ({ group, preventsDestroy, ignoresChanges }) =>
        group === undefined && !(preventsDestroy && ignoresChanges),
    )
    .map(({ address }) => address);
  const addresses = [...new Set([...created, ...thawed])].sort();
  if (addresses.length === 0) return [];
  return [
    {
      rule: "shared-kept",
      subjects: addresses,
      message: `shared parts could change in the view ${view}: ${listed(addresses)}`,
      remedy:
        "shared parts come by: cdktf deploy cluster; here they are declared only if deployed, with prevent_destroy and ignore_changes",
    },
  ];
}
