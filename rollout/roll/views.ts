import type { Deployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { UserError } from "../../cluster/user-error.js";

/**
 * The views that are offered: `cluster` always; while a group is in flight the view of that group alone (servers first);
 * else one for each pending group; and whatever is asked for by name. With `protection: off`, `cluster` alone.
 * @param requested the value of `ROLLOUT_GROUP`; empty is the same as none
 * @throws UserError when no such group is deployed, or none may be rolled
 */
export function offeredViews(spec: Spec, deployed: Deployed, requested = ""): string[] {
  const asked = requested === "" || requested === "cluster" ? [] : [requested];
  for (const name of asked) checkRequested(spec, deployed, name);
  if (spec.protection === "off") return ["cluster"];
  const inFlight = inFlightOf(spec, deployed)[0];
  const offered = inFlight ? [inFlight.group] : pendingGroups(spec, deployed).map(({ name }) => name);
  return [...new Set(["cluster", ...offered, ...asked])];
}

function checkRequested(spec: Spec, deployed: Deployed, requested: string): void {
  const group = findGroup(spec, requested);
  if (spec.protection === "off") {
    throw new UserError(
      `protection is off, so ${requested} has no view: nothing would be drained; set protection: on to roll it`,
      2,
    );
  }
  if (!isNew(deployed.groups.get(group.name))) return;
  if (group.retires) {
    throw new UserError(
      `${requested} has no view: its pool retires, and nothing of this group has ever stood or is left; see: rollout status`,
      2,
    );
  }
  throw new UserError(
    `${requested} is new, so it has no view of its own yet; create it with: cdktf deploy cluster`,
    2,
  );
}
