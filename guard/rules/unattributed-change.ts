import { isOwnPath, isSharedAddress } from "../../cluster/shared-address.js";
import { describeChange } from "../change.js";
import { forgottenBy } from "../leftovers.js";
import { memberBounds } from "../member-bounds.js";
import { ownActs } from "../own-blocks.js";
import type { Proposal, Rule } from "../proposal.js";
import { refuse, type Violation } from "../verdict.js";

/**
 * Every change belongs to somebody: what has the address of a group's member stands in that group's construct, so that it
 * is never judged as another's, and what belongs to no group is a shared part that is known.
 */
export const unattributedChange: Rule = (proposal) => [
  ...outsideOfGroup(proposal),
  ...byBlocks(proposal),
  ...ofNobody(proposal),
  ...ownActs(proposal),
  ...memberBounds(proposal),
];

/** Blocks of which only Terraform knows what they would do. */
function byBlocks(proposal: Proposal): Violation[] {
  const { header, wiring } = proposal;
  const isKnown = (block: string): boolean =>
    block === "removed" && forgottenBy(header?.removed, proposal) !== undefined;
  const planned = wiring.flatMap(({ address }) => (/^(module|action)\./.test(address) ? [address] : []));
  const blocks = [...(header?.blocks ?? []).filter((block) => !isKnown(block)), ...planned];
  return refuse("unattributed-change", blocks, {
    message: "the stack has blocks that cannot be judged",
    remedy:
      "remove them: members of groups come from the pools that are declared, and resources of your own from inEachView, one by one",
  });
}

/** Neither a group's nor one of this program's shared parts, and not on the list of the user's own. */
function ofNobody({ declared, changes, plan, spec }: Proposal): Violation[] {
  const path = (address: string): string | undefined =>
    plan
      ? plan.own.get(address)
      : declared.find((resource) => resource.address === address)?.path.replace(/^[^/]*\//, "");
  const nobodys = changes.filter(({ group, member, address, action }) => {
    if (group !== undefined || member || isSharedAddress(address, spec)) return false;
    const own = path(address);
    // At synth a dropped resource has no path any more; that it goes is another rule's.
    return plan || action !== "delete" ? own === undefined || !isOwnPath(own, spec) : false;
  });
  const described = nobodys.map((change) => {
    const own = path(change.address);
    return own === undefined ? describeChange(change) : `${change.address} at ${own}`;
  });
  return refuse("unattributed-change", described, {
    message: "resources that belong to no group would change",
    remedy: "name those that are your own by construct path in rollout.ownResources",
  });
}

function outsideOfGroup({ declared }: Proposal): Violation[] {
  const strays = declared.filter(({ member, group }) => member !== undefined && member.group !== group);
  const described = strays.map(({ address, path }) => `${address} at ${path}`);
  return refuse("unattributed-change", described, {
    message: "addresses of a group are declared outside of it",
    remedy: "give the resource another name, or declare it in the group",
  });
}
