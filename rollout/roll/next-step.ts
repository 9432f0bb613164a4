import { groupAddress } from "../../cluster/address.js";
import type { Deployed, DeployedGroup } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Group } from "../../cluster/groups.js";
import { inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";

/** What comes next in the roll of one group, as it is observed now. */
export type NextInGroup =
  /** Its work leaves and its machines are made anew, with a closed gate. */
  | { readonly kind: "roll" }
  /** Its machines are as desired: it is proven whole, and recorded. */
  | { readonly kind: "gate" }
  | { readonly kind: "done" }
  /** @param command what to run first, where there is one */
  | { readonly kind: "blocked"; readonly reason: string; readonly command?: string };

/**
 * Decides from what is desired and deployed alone, so that a roll that was cut off anywhere goes on where it is.
 * @throws UserError (exit code 2) when there is no such group
 */
export function nextInGroup(spec: Spec, deployed: Deployed, name: string): NextInGroup {
  const group = findGroup(spec, name);
  const current = deployed.groups.get(name);
  if (spec.protection === "off")
    return blocked(`${name} is not rolled while protection is off: nothing would be drained`);
  if (!current || isNew(current))
    return blocked(`${name} is new and has never stood`, "npx cdktf deploy cluster");
  const inFlight = inFlightOf(spec, deployed);
  const first = inFlight[0];
  if (first && first.group !== name) {
    return blocked(
      `${name} cannot be rolled while ${first.group} is in flight: ${first.reasons.join(", ")}`,
      `rollout deploy ${first.group}`,
    );
  }
  const failed = [...deployed.groups.values()].filter((each) => isNew(each) && each.tainted.length > 0);
  if (failed[0]) {
    return blocked(
      `${name} cannot be rolled while the creation of ${failed[0].name} has failed half-way`,
      "npx cdktf deploy cluster",
    );
  }
  if (!first && !pendingGroups(spec, deployed).some((each) => each.name === name)) return { kind: "done" };
  return lacksOnlyProof(group, current, spec, deployed) ? { kind: "gate" } : { kind: "roll" };
}

const blocked = (reason: string, command?: string): NextInGroup => ({
  kind: "blocked",
  reason,
  ...(command === undefined ? {} : { command }),
});

/**
 * Whether a group would be whole if its `ready` had passed for the machines that are there. Others in flight are finished
 * after it, and do not keep it from its own end.
 */
function lacksOnlyProof(group: Group, current: DeployedGroup, spec: Spec, deployed: Deployed): boolean {
  const { hosts, revisions, tainted } = current;
  if (!hosts.every(({ hash }) => hash === group.hash) || hosts.length !== group.hosts) return false;
  const ready = groupAddress(spec.platform, group.name, "ready");
  const { image, hash, generation } = group;
  const proven: DeployedGroup = {
    ...current,
    tainted: tainted.filter((address) => address !== ready),
    ready: { hosts: hosts.map(({ id }) => id).join(","), hash, gate: "open" },
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
