import { groupsOf, poolsOf } from "../../spec/groups.js";
import type { Change } from "../change.js";
import type { Proposal, Rule } from "../proposal.js";
import type { Violation } from "../verdict.js";

/**
 * Members of groups are replaced, never dropped: a dropped block is destroyed without its hooks, and no freeze holds it.
 * Only a group that shrinks in its own view loses hosts, the last ones.
 */
export const replaceNotDelete: Rule = (proposal) => {
  const dropped = proposal.changes.filter(
    (change) => change.action === "delete" && change.group !== undefined && !shrinks(change, proposal),
  );
  const groups = [...new Set(dropped.map(({ group }) => group ?? ""))].sort();
  const known = new Set(groupsOf(proposal.spec).map(({ name }) => name));
  const gone = groups.filter((group) => !known.has(group));
  return [
    ...(gone.length > 0 ? [goneFromSpec(gone, proposal)] : []),
    ...groups
      .filter((group) => known.has(group))
      .flatMap((group) => membersDropped(group, dropped, proposal)),
  ];
};

function goneFromSpec(gone: readonly string[], { spec, deployed }: Proposal): Violation {
  const fresh = poolsOf(spec)
    .map(({ name }) => name)
    .filter((pool) => ![...deployed.groups.values()].some((group) => group.pool === pool));
  const renamed = fresh.length === 0 ? "" : ` (${fresh.join(", ")} is new: a renamed pool is another pool)`;
  return {
    rule: "replace-not-delete",
    subjects: gone,
    message: `deployed groups are gone from the spec${renamed}: ${gone.join(", ")}`,
    remedy:
      "put their pool back as it was; this version cannot take a pool away, and a pool under another name stands beside it",
  };
}

function membersDropped(group: string, dropped: readonly Change[], { view }: Proposal): Violation[] {
  const addresses = dropped
    .filter((change) => change.group === group && change.member?.kind !== "data")
    .map(({ address }) => address);
  if (addresses.length === 0) return [];
  return [
    {
      rule: "replace-not-delete",
      subjects: addresses.sort(),
      message: `members of ${group} would be destroyed in the view ${view}, without a hook: ${addresses.join(", ")}`,
      remedy: `declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy ${group}`,
    },
  ];
}

/** Whether a deletion is that of a host beyond the number that the target is to have, or of what hangs on it. */
function shrinks({ member, group }: Change, { target, spec }: Proposal): boolean {
  if (group !== target || member?.host === undefined || member.kind === "data") return false;
  const desired = groupsOf(spec).find(({ name }) => name === group);
  return desired !== undefined && member.host >= desired.hosts;
}
