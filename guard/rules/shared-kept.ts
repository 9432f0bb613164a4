import { isSharedAddress } from "../../cluster/shared-address.js";
import { describeChange, type Change } from "../change.js";
import { isEndOfLeftover } from "../leftovers.js";
import type { Proposal, Rule } from "../proposal.js";
import { refuse, type Violation } from "../verdict.js";

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
  return refuse("shared-kept", spec.protection === "off" ? [] : gone, {
    message: "shared parts would be destroyed",
    remedy:
      "put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL",
  });
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
  return refuse("shared-kept", odd.map(describeChange), {
    message: "shared parts would not stay what they are",
    remedy:
      "change only what Terraform can update in place; a replaced target group is empty for all three groups",
  });
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
  return refuse("shared-kept", [...new Set([...created, ...thawed])], {
    message: `shared parts could change in the view ${view}`,
    remedy:
      "shared parts come by: npx rollout deploy cluster; here they are declared only if deployed, with prevent_destroy and ignore_changes",
  });
}
