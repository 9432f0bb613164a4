import { findGroup } from "../../cluster/find-group.js";
import { deployedHash, describePending } from "../../cluster/pending.js";
import { among, mayRoll, refuse } from "../roll/may-roll.js";
import { refuseToEdit } from "./may-edit.js";
import type { Situation } from "../status/situation.js";

export type Restart =
  | { readonly kind: "nothing"; readonly message: string }
  | { readonly kind: "restart"; readonly generation: number; readonly message: string };

/**
 * The edit that has a group's machines replaced as they are: its next generation.
 * @throws UserError when it may not be, with the next command
 */
export function restartOf(situation: Situation, name: string): Restart {
  const { spec, deployed } = situation;
  const group = findGroup(spec, name);
  refuseToEdit(situation, group.name, "restarted");
  const current = deployed.groups.get(group.name);
  // One that is in flight itself is finished first, too.
  refuse(among(mayRoll(situation, []), "in-flight"), `${group.name} is not restarted`);
  if (current && deployedHash(current) !== group.hash) {
    const change = describePending(group, current);
    return {
      kind: "nothing",
      message: `nothing to restart: ${group.name} is pending already (${change}), and its roll replaces its machines`,
    };
  }
  const generation = group.generation + 1;
  const machines =
    group.hosts === 1
      ? "its machine is replaced as it is"
      : `its ${String(group.hosts)} machines are replaced as they are`;
  const number = current?.revisions.at(-1)?.number ?? 0;
  return {
    kind: "restart",
    generation,
    message: `restart ${group.name}: generation ${String(group.generation)} -> ${String(generation)}, so that ${machines} (as revision ${String(number + 1)})`,
  };
}
