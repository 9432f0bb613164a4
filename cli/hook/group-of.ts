import { groupsOf, type Group } from "../../cluster/groups.js";
import { HOOK_FILE, type HookFile } from "../../cluster/hooks/hook-file.js";
import { UserError } from "../../cluster/user-error.js";

/**
 * The group that a hook is called for, as its stack was made from.
 * @throws UserError when the stack was synthesized anew since the plan was made
 */
export function groupOf({ spec }: HookFile, name: string, hash: string | undefined): Group {
  const group = groupsOf(spec).find((each) => each.name === name);
  if (!group) throw new UserError(`no group ${name} in ${HOOK_FILE}; synthesize and plan again`, 2);
  if (group.hash !== hash) {
    throw new UserError(
      `the plan is not of this stack: ${name} has the template ${group.hash} in ${HOOK_FILE}, the hook was called for ${hash ?? "none"}; synthesize and plan again`,
    );
  }
  return group;
}
