import { parseAddress } from "../../cluster/address.js";
import type { Action, Change } from "../change.js";
import type { Plan, PlannedResource } from "./plan.js";
import { plannedHost } from "./planned-host.js";

/** The changes that a plan makes, in the words of the rules. What is unchanged is left out, unknown actions are not. */
export function changesOf(plan: Plan): Change[] {
  const planned = plan.resources.flatMap((planned): Change[] => {
    const action = actionOf(planned);
    if (action === undefined) return [];
    const member = parseAddress(planned.address);
    const detail = member?.kind === "host" ? hostDetail(planned) : undefined;
    return [
      {
        address: planned.address,
        ...(member ? { group: member.group, member } : {}),
        action,
        ...(detail === undefined ? {} : { detail }),
        ...displacement(planned),
        planned,
      },
    ];
  });
  return [...planned, ...plan.gone.flatMap(goneOutside)];
}

/** Who may not destroy a member may not find it gone. A volume is nobody's to destroy, so it is only let go of. */
function goneOutside(address: string): Change[] {
  const member = parseAddress(address);
  if (!member) return [];
  const action = member.kind === "data" ? "forget" : "delete";
  return [{ address, group: member.group, member, action, detail: "gone outside" }];
}

/** Terraform writes both beside any action, an update or a replacement included. */
function displacement({ previousAddress, imported }: PlannedResource): Pick<Change, "displaced" | "from"> {
  if (previousAddress === undefined) return imported ? { displaced: "imported" } : {};
  const from = parseAddress(previousAddress)?.group;
  return { displaced: `moved from ${previousAddress}`, ...(from === undefined ? {} : { from }) };
}

/** Terraform's list of actions as one word, by membership: orders and combinations differ between versions. */
function actionOf({
  actions,
  previousAddress,
  imported,
  before,
  after,
}: PlannedResource): Action | undefined {
  const has = (action: string): boolean => actions.includes(action);
  if (actions.some((action) => !KNOWN.has(action))) return "unknown";
  if (has("forget")) return "forget";
  if (has("create")) return has("delete") ? "replace" : "create";
  if (has("delete")) return "delete";
  if (has("update")) return "update";
  // Of an object that was gone already Terraform says that nothing happens to nothing.
  if (before === null && after === null) return "delete";
  return previousAddress !== undefined || imported ? "move" : undefined;
}

/** Whether nothing happens to a resource, by Terraform's words. */
export const isUnchanged = ({ actions }: Pick<PlannedResource, "actions">): boolean =>
  actions.every((action) => action === "no-op");

const KNOWN: ReadonlySet<string> = new Set(["no-op", "read", "create", "update", "delete", "forget"]);

function hostDetail({ address, before, after }: PlannedResource): string | undefined {
  const [from, to] = [plannedHost(address, before), plannedHost(address, after)];
  const pairs = [
    [from.image, to.image],
    [from.instanceType, to.instanceType],
  ] as const;
  const changed = pairs.flatMap(([old, now]) =>
    old !== undefined && now !== undefined && old !== now ? [`${old} -> ${now}`] : [],
  );
  return changed.length > 0 ? changed.join(", ") : undefined;
}
