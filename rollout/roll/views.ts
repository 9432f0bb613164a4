import type { Deployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { groupsInPlace } from "../../cluster/in-place.js";
import { inFlightOf, pendingGroups } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { among, mayRoll, refuse } from "./may-roll.js";

/**
 * The views that are offered: `cluster`, but while a group is in flight that has no record, as where its creation was cut off
 * at its gate, since the rest would be built on it; while a group is in flight the view of that group alone (servers first);
 * else one for each group that is pending or differs in place; and whatever is asked for by name. With `protection: off`, `cluster` alone.
 * @param requested the value of `ROLLOUT_GROUP`; empty is the same as none
 * @throws UserError when no such group is deployed, or none may be rolled
 */
export function offeredViews(spec: Spec, deployed: Deployed, requested = ""): string[] {
  const asked = requested === "" || requested === "cluster" ? [] : [requested];
  for (const name of asked) {
    const { name: group } = findGroup(spec, name);
    const reasons = mayRoll({ spec, deployed }, [group]);
    refuse(among(reasons, "protection", "new", "retired"), `${group} has no view`, 2);
  }
  if (spec.protection === "off") return ["cluster"];
  const inFlight = inFlightOf(spec, deployed)[0];
  const isCut = inFlight !== undefined && deployed.groups.get(inFlight.group)?.revisions.length === 0;
  const due = [...pendingGroups(spec, deployed), ...groupsInPlace(spec, deployed)];
  const offered = inFlight ? [inFlight.group] : due.map(({ name }) => name);
  return [...new Set([...(isCut ? [] : ["cluster"]), ...offered, ...asked])];
}
