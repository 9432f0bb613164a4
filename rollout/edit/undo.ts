import type { DeployedGroup } from "../../cluster/deployed.js";
import type { Revision } from "../../cluster/revision.js";
import type { GroupChange } from "../../cluster/yaml/edit.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Group } from "../../cluster/groups.js";
import { inFlightOf } from "../../cluster/pending.js";
import { UserError } from "../../cluster/user-error.js";
import { notInHistory, rangeOf } from "../log/history.js";
import { readRuns } from "../log/read-runs.js";
import { outOf } from "../log/roll-facts.js";
import { refuseToEdit } from "./may-edit.js";
import type { Situation } from "../status/situation.js";
import { generationBack } from "./take-back.js";

/** What an undo comes to. */
export type Undo =
  | { readonly kind: "nothing"; readonly message: string }
  | {
      readonly kind: "undo";
      readonly group: string;
      /** What the spec is to say. */
      readonly change: GroupChange;
      /** `undo broker-1: ami-0bb -> ami-0aa (revision 15 -> 14, as revision 16)` */
      readonly message: string;
      readonly warnings: readonly string[];
      /** Whether machines are replaced; not where only an edit that was never rolled is taken back. */
      readonly isRolled: boolean;
    };

/**
 * The edit that takes a group back to an earlier image: by default to the one before, and of a group whose roll has begun
 * and not ended to that of its last good revision. The generation is {@link generationBack}'s.
 * @throws UserError when it may not be, with the next command
 */
export function undoOf(situation: Situation, name: string, toRevision?: number): Undo {
  const { spec, deployed } = situation;
  const group = findGroup(spec, name);
  refuseToEdit(situation, group.name, "undone");
  const current = deployed.groups.get(group.name);
  if (!current) throw new Error(`nothing is deployed of ${group.name}`);
  const last = lastRevision(current);
  // A roll that was killed while work left is seen in the log alone.
  const isOut =
    group.hash !== last.hash &&
    outOf(readRuns(situation.events)).some(
      (each) => each.group === group.name && (each.to ?? group.image) === group.image,
    );
  const isBegun = isOut || inFlightOf(spec, deployed).some((each) => each.group === group.name);
  const isWhole = !isBegun && group.hash === last.hash;
  const to = target(group.name, current, isWhole ? last : undefined, toRevision);
  const generation = generationBack(group, current, to, isOut);
  const isSame = to.image === group.image && (isBegun || generation === group.generation);
  if (isSame) return { kind: "nothing", message: nothing(group, { last, to, isWhole, isBegun }) };
  const isNext = to.image !== last.image || generation !== last.generation;
  return {
    kind: "undo",
    group: group.name,
    change: { image: to.image, generation },
    message: `undo ${group.name}: ${what(group, to, generation)} (${words(to, last, { isWhole, isNext, isBegun })})`,
    warnings: toRevision === undefined && isWhole ? backAndForth(current, last, to) : [],
    isRolled: isBegun || isNext,
  };
}

/** What is known of a group that is to be taken back. */
interface Facts {
  readonly last: Revision;
  readonly to: Revision;
  readonly isWhole: boolean;
  readonly isBegun: boolean;
}

/** `ami-0bb -> ami-0aa, generation 0 -> 1` */
const what = (group: Group, to: Revision, generation: number): string =>
  [
    ...(to.image === group.image ? [] : [`${group.image} -> ${to.image}`]),
    ...(generation === group.generation
      ? []
      : [`generation ${String(group.generation)} -> ${String(generation)}`]),
  ].join(", ");

function words(
  to: Revision,
  last: Revision,
  { isWhole, isNext, isBegun }: Pick<Facts, "isWhole" | "isBegun"> & { readonly isNext: boolean },
): string {
  const from = isWhole
    ? `revision ${String(last.number)} -> ${String(to.number)}`
    : `back to revision ${String(to.number)}`;
  if (isNext) return `${from}, as revision ${String(last.number + 1)}`;
  return isBegun ? from : `${from}: the edit was never rolled`;
}

/** @throws UserError for one that is not in the history */
function target(
  name: string,
  { revisions }: DeployedGroup,
  without: Revision | undefined,
  asked: number | undefined,
): Revision {
  const numbers = revisions.map(({ number }) => number);
  if (asked !== undefined) {
    const found = revisions.find(({ number }) => number === asked);
    if (found) return found;
    throw notInHistory(name, asked, numbers);
  }
  const found = revisions.filter((revision) => revision !== without).at(-1);
  if (found) return found;
  throw new UserError(
    `${name} has no earlier revision: its history has only ${rangeOf(numbers)}; give it another image with: rollout set image ${name}=IMAGE`,
  );
}

function nothing({ name, image }: Group, { last, to, isWhole, isBegun }: Facts): string {
  const number = String(to.number);
  if (isBegun)
    return `nothing to undo: ${name} is on its way to ${image}, the image of revision ${number}; finish it: rollout deploy ${name}`;
  if (to !== last) return `nothing to undo: ${name} already runs ${image}, as revision ${number} did`;
  if (isWhole) return `nothing to undo: ${name} already runs revision ${number}`;
  return `nothing to undo: ${name} has the image of revision ${number}; what differs is something else, see rollout status`;
}

/** People who undo twice expect to go one further back, and not to return to what they have left. */
function backAndForth({ revisions }: DeployedGroup, last: Revision, to: Revision): string[] {
  const before = revisions.at(-3);
  if (before?.image !== last.image) return [];
  const further = revisions.findLast(
    ({ image, number }) => number < before.number && image !== last.image && image !== to.image,
  );
  const instead =
    further === undefined ? "" : `; to go further back: --to-revision ${String(further.number)}`;
  return [
    `revision ${String(last.number)} went back from ${String(to.number)} itself, so this returns to revision ${String(to.number)} (${to.image})${instead}`,
  ];
}

function lastRevision({ name, revisions }: DeployedGroup): Revision {
  const last = revisions.at(-1);
  if (last) return last;
  throw new UserError(
    `the record of ${name} is lost, so its history is not known; finish it first: rollout deploy ${name}`,
  );
}
