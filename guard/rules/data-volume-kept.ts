import { isDeepStrictEqual } from "node:util";
import { hostAddress } from "../../cluster/address.js";
import { groupsOf, subnetOf } from "../../cluster/groups.js";
import { isInPlaceNow, isOfStaying, ownVolumes } from "../../cluster/in-place.js";
import { volumeChanges } from "../../cluster/volume-changes.js";
import { ignoresAnything, volumeOf } from "../declared.js";
import { forgottenVolumes } from "../forgotten-volumes.js";
import { plannedVolume, type PlannedVolume } from "../plan/planned-host.js";
import type { Leftovers } from "../../cluster/retiring.js";
import type { Change } from "../change.js";
import { isEndOfLeftover, leftoversIn } from "../leftovers.js";
import type { Proposal, Rule, StateProposal } from "../proposal.js";
import { terraformIn } from "../terraform-in.js";
import { refuse, type RuleId, violation, type Violation } from "../verdict.js";

const RULE: RuleId = "data-volume-kept";

/**
 * A data volume outlives its machine, also when its group shrinks, and never moves to another zone. With a pool that retires
 * it is let go of, and deleted only where the spec says so.
 */
export const dataVolumeKept: Rule = (proposal) => [
  ...volumesLost(proposal),
  ...volumesUnprotected(proposal),
  ...volumesShrunk(proposal),
  ...volumesOtherwise(proposal),
  ...volumesForgotten(proposal),
  ...zonesLeft(proposal),
];

function volumesLost(proposal: Proposal): Violation[] {
  const isEnd = isEndOfLeftover(proposal);
  const removed = proposal.changes.filter(
    ({ member, action }) => member?.kind === "data" && ["delete", "replace", "forget"].includes(action),
  );
  const lost = removed.filter((change) => !isEnd(change)).map(({ address }) => address);
  return [
    ...leftoversIn(proposal).flatMap((leftovers) => deletedUnasked(leftovers, removed)),
    ...refuse(RULE, lost, {
      message: "data volumes would be lost",
      remedy: "keep declaring the volumes that the state holds, those of hosts that are gone included",
    }),
  ];
}

/** A pool that retires keeps its data in any case but one: its spec says otherwise. */
function deletedUnasked({ pool, retire, addresses }: Leftovers, removed: readonly Change[]): Violation[] {
  const deleted = removed
    .filter(({ address, action }) => action === "delete" && addresses.has(address))
    .map(({ address }) => address);
  return refuse(RULE, retire === "delete-volumes" ? [] : deleted, {
    message: `data volumes of ${pool} would be deleted, and it retires with ${retire}`,
    remedy: `synthesize and plan again; to delete them: rollout retire ${pool} --delete-volumes`,
  });
}

function volumesUnprotected({ declared, spec }: Proposal): Violation[] {
  if (spec.protection === "off") return [];
  const open = declared
    .filter(({ member, preventsDestroy }) => member?.kind === "data" && !preventsDestroy)
    .map(({ address }) => address);
  return refuse(RULE, open, {
    message: "data volumes could be destroyed",
    remedy: "leave prevent_destroy on every data volume; remove the override",
  });
}

/** A disk can be made larger and never smaller: the change would fail once the group has left. */
function volumesShrunk({ declared, deployed }: Proposal): Violation[] {
  const smaller = declared.flatMap((resource) => {
    const { member, address } = resource;
    if (member?.kind !== "data" || ignoresAnything(resource)) return [];
    const volumes = deployed.groups.get(member.group)?.volumes ?? [];
    const from = volumes.find(({ host }) => host === member.host)?.sizeGib ?? 0;
    const to = volumeOf(resource).sizeGib;
    return to < from ? [`${address} (${String(from)} -> ${String(to)} GiB)`] : [];
  });
  return refuseSmaller(smaller);
}

/** The same, as the state tells of a group. */
export function volumesToShrink({ spec, deployed, target = "" }: StateProposal): Violation[] {
  const current = deployed.groups.get(target);
  const group = groupsOf(spec).find(({ name }) => name === target);
  const wanted = group?.wantedVolume;
  if (!current || !group || !wanted) return [];
  const isInPlace = isInPlaceNow(spec, deployed, target);
  const smaller = ownVolumes(group, current).filter(
    (volume) =>
      volume.sizeGib > wanted.sizeGib &&
      (isInPlace ? volumeChanges(volume, group).length > 0 : !isOfStaying(volume, group, current.hosts)),
  );
  return refuseSmaller(
    smaller.map(
      ({ host, sizeGib }) =>
        `${hostAddress(spec.platform, target, host, "data")} (${String(sizeGib)} -> ${String(wanted.sizeGib)} GiB)`,
    ),
  );
}

const refuseSmaller = (volumes: readonly string[]): Violation[] =>
  refuse(RULE, volumes, {
    message: "data volumes cannot be made smaller",
    remedy: "give dataVolumes in cluster.yaml at least the size that is deployed",
  });

/** A plan makes volumes no smaller than they are, and gives those of its group what the spec says, or leaves all of that. */
function volumesOtherwise({ changes, spec, target }: Proposal): Violation[] {
  const wanted = groupsOf(spec).find(({ name }) => name === target)?.wantedVolume;
  const odd = changes.flatMap(({ address, action, member, group, planned }) => {
    if (member?.kind !== "data" || action !== "update" || !planned) return [];
    const [from, to] = [plannedVolume(address, planned.before), plannedVolume(address, planned.after)];
    const isWanted =
      wanted !== undefined &&
      group === target &&
      (isDeepStrictEqual(to, from) ||
        (to.sizeGib === wanted.sizeGib &&
          to.type === wanted.type &&
          PERFORMANCE.every((name) => isAsWanted(to[name], wanted[name], from[name]))));
    return isWanted && (to.sizeGib ?? 0) >= (from.sizeGib ?? Infinity)
      ? []
      : [`${address} (${describeVolume(from)} -> ${describeVolume(to)})`];
  });
  return refuse(RULE, odd, {
    message: "data volumes would be smaller, or otherwise than the spec says",
    remedy: "synthesize and plan again from the spec as it is now",
  });
}

const PERFORMANCE = ["iops", "throughput"] as const;

/** Of what the spec does not say, and another type brings with it, no plan knows the value. */
const isAsWanted = (planned: number | undefined, wanted: number | undefined, from: number | undefined) =>
  wanted === undefined ? planned === undefined || planned === from : planned === wanted;

const describeVolume = ({ sizeGib, type, iops, throughput }: PlannedVolume): string =>
  [
    `${String(sizeGib ?? "unknown")} GiB ${type ?? "unknown"}`,
    ...(iops === undefined ? [] : [`iops ${String(iops)}`]),
    ...(throughput === undefined ? [] : [`throughput ${String(throughput)}`]),
  ].join(" ");

/** A volume that was taken out of the state is still there: an empty one in its place would hide the data. */
export const volumesForgotten = (proposal: StateProposal): Violation[] =>
  refuse(RULE, forgottenVolumes(proposal), {
    message: "machines have data volumes that the state does not hold",
    remedy: `take each back with: ${terraformIn(proposal)} import ADDRESS ID; or restore the state from its backup; where one is lost for good, end its machine, too, and both are made anew`,
  });

/** A disk cannot follow its machine into another zone, so the subnet of a group with data volumes stays. */
function zonesLeft({ spec, deployed }: Proposal): Violation[] {
  return [...deployed.groups.values()].flatMap((group) => {
    const from = group.hosts.find(({ subnetId }) => subnetId !== undefined)?.subnetId;
    const to = subnetOf(spec, group.index);
    if (group.volumes.length === 0 || from === undefined || to === undefined || from === to) return [];
    return violation(RULE, [group.name], {
      message: `${group.name} has data volumes and cannot move to another subnet: ${from} -> ${to}`,
      remedy: `set aws.subnetIds[${String(group.index)}] back to ${from}`,
    });
  });
}
