import { groupAddress } from "../../cluster/address.js";
import type { Deployed, DeployedGroup } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Group } from "../../cluster/groups.js";
import { changesInPlace, isInPlaceNow } from "../../cluster/in-place.js";
import { inFlightOf } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { among, mayRoll, type Reason } from "./may-roll.js";

/** What comes next in the roll of one group, as it is observed now. */
export type NextInGroup =
  /** Its work leaves and its machines are made anew, with a closed gate. */
  | { readonly kind: "roll" }
  /** Its machines are as desired: it is proven whole, and recorded. */
  | { readonly kind: "gate" }
  /** Its machines are as desired, and its data volumes are changed with nothing else. */
  | { readonly kind: "in-place" }
  | { readonly kind: "done" }
  | { readonly kind: "blocked"; readonly reasons: readonly Reason[] };

/**
 * Decides from what is desired and deployed alone, so that a roll that was cut off anywhere goes on where it is.
 * @throws UserError (exit code 2) when there is no such group
 */
export function nextInGroup(spec: Spec, deployed: Deployed, name: string): NextInGroup {
  const group = findGroup(spec, name);
  const current = deployed.groups.get(name);
  const state = { spec, deployed };
  const reasons = among(mayRoll(state, [name]), "protection", "new", "retired", "in-flight", "creation");
  if (!current || reasons.length > 0) return { kind: "blocked", reasons };
  if (isInPlaceNow(spec, deployed, name))
    return { kind: changesInPlace(group, current).length > 0 ? "in-place" : "done" };
  return lacksOnlyProof(group, current, spec, deployed) ? { kind: "gate" } : { kind: "roll" };
}

/**
 * Whether a group would be whole if its `ready` had passed for the machines that are there. Others in flight are finished
 * after it, and do not keep it from its own end.
 */
function lacksOnlyProof(group: Group, current: DeployedGroup, spec: Spec, deployed: Deployed): boolean {
  const { hosts, revisions, tainted, completed } = current;
  if (!hosts.every(({ hash }) => hash === group.hash) || hosts.length !== group.hosts) return false;
  const ready = groupAddress(spec.platform, group.name, "ready");
  const { image, hash, generation } = group;
  const proven: DeployedGroup = {
    ...current,
    tainted: tainted.filter((address) => address !== ready),
    ready: { hosts: hosts.map(({ id }) => id).join(","), hash, gate: "open", attempt: completed?.attempt },
    completed: completed && { ...completed, gate: "open" },
    revisions: [
      ...revisions,
      { number: (revisions.at(-1)?.number ?? 0) + 1, image, hash, generation, cause: "" },
    ],
  };
  const groups = new Map([...deployed.groups, [group.name, proven]]);
  const others = new Set(
    inFlightOf(spec, deployed).flatMap((each) => (each.group === group.name ? [] : [each.group])),
  );
  return inFlightOf(spec, { ...deployed, groups }).every((each) => others.has(each.group));
}
