import { isNew } from "../../cluster/pending.js";
import type { DeclaredResource } from "../declared.js";
import { type Proposal, type Rule, isWaiting } from "../proposal.js";
import { refuse } from "../verdict.js";

/**
 * Deployed groups that a view is not for, and machines that wait for a later batch, carry the freeze, so that Terraform itself holds them even where nobody asks
 * the guard: hosts, disks, attachments, `leave` and the revision cannot be destroyed or changed, `ready` not changed.
 */
export const freezeKept: Rule = (proposal) => {
  if (proposal.spec.protection === "off") return [];
  const thawed = proposal.declared.filter((resource) => isForeign(resource, proposal) && !isFrozen(resource));
  const groups = [...new Set(thawed.map(({ group }) => group ?? ""))].sort();
  return groups.flatMap((group) => {
    const addresses = thawed.filter((resource) => resource.group === group).map(({ address }) => address);
    return refuse("freeze-kept", addresses, {
      message: `${group} is not frozen in the view ${proposal.view}`,
      remedy:
        "leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override",
    });
  });
};

function isForeign({ group, address, member }: DeclaredResource, proposal: Proposal): boolean {
  const { target, deployed } = proposal;
  if (group === undefined || !deployed.addresses.has(address)) return false;
  if (group === target) return member !== undefined && isWaiting(proposal, member);
  return target !== undefined || !isNew(deployed.groups.get(group));
}

function isFrozen({ member, preventsDestroy, ignoresChanges, triggeredBy }: DeclaredResource): boolean {
  if (member?.kind === "config-consul") return true;
  return triggeredBy.length === 0 && ignoresChanges && (preventsDestroy || member?.kind === "ready");
}
