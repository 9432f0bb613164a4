import { groupsOf, poolsOf } from "../../cluster/groups.js";
import { hostAddress, parseGroupName } from "../../cluster/address.js";
import { hasNumber } from "../../cluster/numbers.js";
import { isNew, targetGroupAddress } from "../../cluster/pending.js";
import { describeChange, type Change } from "../change.js";
import { forgottenVolumes } from "../forgotten-volumes.js";
import { numbered, type Proposal, type Rule } from "../proposal.js";
import { refuse, type Violation } from "../verdict.js";
import { isEndOfLeftover } from "../leftovers.js";

/**
 * Members of groups are replaced, never dropped: a dropped block is destroyed without its hooks, and no freeze holds it.
 * Only a group that shrinks in its own view loses hosts, the last ones by number, and one of a pool that retires all of them. What is
 * left of a machine that was terminated outside may go in any view, and what is left of a pool without machines in the
 * cluster view.
 */
export const replaceNotDelete: Rule = (proposal) => {
  const isEnd = isEndOfLeftover(proposal);
  const dropped = proposal.changes.filter(
    (change) =>
      change.action === "delete" &&
      change.group !== undefined &&
      !isEnd(change) &&
      !shrinks(change, proposal) &&
      !goesWithBalancer(change, proposal) &&
      !goesWithVolume(change, proposal) &&
      !isLeftover(change, proposal),
  );
  const groups = [...new Set(dropped.map(({ group }) => group ?? ""))].sort();
  const known = new Set(groupsOf(proposal.spec).map(({ name }) => name));
  const gone = groups.filter((group) => !known.has(group));
  return [
    ...(gone.length > 0 ? [goneFromSpec(gone, proposal)] : []),
    ...groups
      .filter((group) => known.has(group))
      .flatMap((group) => membersDropped(group, dropped, proposal)),
    ...otherwiseChanged(proposal, isEnd),
    ...membersDisplaced(proposal),
  ];
};

function goneFromSpec(gone: readonly string[], { spec, deployed }: Proposal): Violation {
  const fresh = poolsOf(spec)
    .map(({ name }) => name)
    .filter((pool) => ![...deployed.groups.values()].some((group) => group.pool === pool))
    .sort();
  const renamed =
    fresh.length === 0
      ? ""
      : ` (${fresh.join(", ")} ${fresh.length === 1 ? "is" : "are"} new: a renamed pool is another pool)`;
  return {
    rule: "replace-not-delete",
    subjects: gone,
    message: `deployed groups are gone from the spec${renamed}: ${gone.join(", ")}`,
    remedy: `put their pool back under its name; a pool goes for good by: rollout retire ${parseGroupName(gone[0] ?? "")?.pool ?? "POOL"}`,
  };
}

function membersDropped(group: string, dropped: readonly Change[], { view }: Proposal): Violation[] {
  const addresses = dropped
    .filter((change) => change.group === group && change.member?.kind !== "data")
    .map(({ address }) => address);
  return refuse("replace-not-delete", addresses, {
    message: `members of ${group} would be destroyed in the view ${view}, without a hook`,
    remedy: `declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy ${group}`,
  });
}

/** A move or an import decides which object it is that changes, so it is none of a setting's: nothing renders it. */
function membersDisplaced({ changes }: Proposal): Violation[] {
  const odd = changes.filter(
    ({ displaced, member, from }) => displaced !== undefined && (member !== undefined || from !== undefined),
  );
  return refuse("replace-not-delete", odd.map(describeChange), {
    message: "members of groups would be moved or imported",
    remedy:
      "remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
  });
}

/** A host is replaced, and first the old one goes: not changed in place or let go of. */
function otherwiseChanged({ changes, spec }: Proposal, isEnd: (change: Change) => boolean): Violation[] {
  if (spec.protection === "off") return [];
  const odd = changes.flatMap((change) => {
    const { action, member, planned } = change;
    if (member?.kind === "lb-drained") return [describeChange(change)];
    if (!member || !planned || isEnd(change)) return [];
    if (action === "forget" || action === "unknown") return [describeChange(change)];
    if (member.kind === "host" && action === "update")
      return [`${change.address} (changed in place while its work runs)`];
    const newFirst =
      action === "replace" && planned.actions.indexOf("create") < planned.actions.indexOf("delete");
    return newFirst ? [`${change.address} (its successor is created before it goes)`] : [];
  });
  return refuse("replace-not-delete", odd, {
    message: "members of groups would not be replaced as they are to be",
    remedy:
      "declare them as this program renders them, without create_before_destroy, moved, import or removed blocks",
  });
}

/** Whether a deletion is that of a host beyond the number that the target is to have, or of what hangs on it. */
function shrinks({ member, group, planned }: Change, proposal: Proposal): boolean {
  const { target, spec, deployed } = proposal;
  if (target === undefined && isNew(deployed.groups.get(group ?? ""))) return member?.kind !== "data";
  if (planned?.deposed !== undefined && group === target) return true;
  if (group !== target || member?.host === undefined || member.kind === "data") return false;
  const desired = groupsOf(spec).find(({ name }) => name === group);
  return desired !== undefined && !hasNumber(numbered(desired, proposal), member.host);
}

/** Whether a deletion follows from that of its pool's load balancer, which is another rule's. */
function goesWithBalancer({ member }: Change, { changes, spec }: Proposal): boolean {
  if (member?.kind !== "target" || spec.protection === "off") return false;
  const balancer = targetGroupAddress(spec.platform, member.pool);
  return changes.some(({ address, action }) => address === balancer && action === "delete");
}

/** Whether a deletion follows from a volume that the state has lost, which is another rule's. */
function goesWithVolume({ member }: Change, proposal: Proposal): boolean {
  if (member?.kind !== "data-attachment" || member.host === undefined) return false;
  const volume = hostAddress(proposal.spec.platform, member.group, member.host, "data");
  return forgottenVolumes(proposal).includes(volume);
}

/**
 * Whether a deletion is that of what is left of a machine that is gone: nobody is there for a hook to ask. A machine that is
 * deposed runs.
 */
function isLeftover({ member, planned }: Change, { deployed, spec }: Proposal): boolean {
  if (member?.host === undefined || member.kind === "data" || planned?.deposed !== undefined) return false;
  const { hosts = [], deposed = [] } = deployed.groups.get(member.group) ?? {};
  return (
    !hosts.some(({ number }) => number === member.host) &&
    !deposed.includes(hostAddress(spec.platform, member.group, member.host, "host"))
  );
}
