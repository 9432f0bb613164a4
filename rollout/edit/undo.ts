import type { DeployedGroup } from "../../cluster/deployed.js";
import type { Revision } from "../../cluster/revision.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Group } from "../../cluster/groups.js";
import type { GroupChange } from "../../cluster/yaml/edit.js";
import { changesInPlace, describeInPlace } from "../../cluster/in-place.js";
import { inFlightOf } from "../../cluster/pending.js";
import { makesTheSame, templateHash, templateOf, type Template } from "../../cluster/template-hash.js";
import { UserError } from "../../cluster/user-error.js";
import { changesOf, notInHistory, rangeOf } from "../log/history.js";
import { readRuns } from "../log/read-runs.js";
import { isTo, outOf } from "../log/roll-facts.js";
import { refuseToEdit } from "./may-edit.js";
import type { Situation } from "../status/situation.js";
import { describeChange, generationBack, restored, templateIn } from "./take-back.js";

/** What an undo comes to. */
export interface Undo {
  readonly group: string;
  /** What the spec is to say. */
  readonly change: GroupChange & Template;
  /** `undo broker-1: ami-0bbb -> ami-0aaa (revision 15 -> 14, as revision 16)` */
  readonly message: string;
  readonly warnings: readonly string[];
  /** Whether machines are replaced; not where only an edit that was never rolled is taken back. */
  readonly isRolled: boolean;
  /** What the spec says and goes, and when that came, in milliseconds since 1970; 0 where nobody knows. */
  readonly is: "begun" | "whole" | "edited";
  readonly from: Group;
  readonly at: number;
  /** Whether it returns to what the group went back from. */
  readonly isReturn: boolean;
}

/**
 * The edit that takes a group back to an earlier template: by default to the last that differs, and of a group whose roll has
 * begun and not ended to that of its last good revision. The generation is {@link generationBack}'s.
 * @throws UserError when it may not be, with the next command, and where there is nothing to undo, with the revisions
 */
export function undoOf(situation: Situation, name: string, toRevision?: number): Undo {
  refuseToEdit(situation, findGroup(situation.spec, name).name, "undone");
  return goBack(situation, name, toRevision);
}

/**
 * The edits that take the last roll of some groups back: of what is in flight, and of every group whose last change brought it
 * what the newest brought. One that has gone back since is none of them. Where one group alone may be pending, of the first.
 * @throws UserError as {@link undoOf} does
 */
export function undoRoll(situation: Situation, names: readonly string[]): { undos: Undo[]; later: string[] } {
  const found = names.flatMap((name) => changeOf(situation, name));
  const first =
    found.find(({ is }) => is === "begun") ?? found.toSorted((one, other) => other.at - one.at)[0];
  if (!first)
    throw new UserError(
      `nothing to undo: no last roll of ${names.join(", ")} is recorded that has not gone back; see: rollout history`,
    );
  const brought = broughtTo(first);
  const rolled = found.filter(
    (each) => each.is === "begun" || brought.every((value) => broughtTo(each).includes(value)),
  );
  const isQueue = situation.spec.rollout.pendingGroups === "queue";
  const undos = isQueue ? rolled : rolled.filter(({ is }) => is === first.is).slice(0, 1);
  const together = undos.map(({ group }) => group);
  refuseToEdit(situation, together.join(", "), "undone", together);
  return { undos, later: rolled.map(({ group }) => group).filter((group) => !together.includes(group)) };
}

/** How the last change of a group is undone; nothing where it has none, or has gone back. */
function changeOf(situation: Situation, name: string): Undo[] {
  try {
    const undo = goBack(situation, name);
    return undo.is === "edited" || undo.isReturn ? [] : [undo];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** The values that the last change has brought a group; an image says which roll it was by itself. */
function broughtTo({ change, from }: Undo): string[] {
  const brought = changesOf(change, templateOf(from))
    .filter((each) => !each.startsWith("generation"))
    .map((each) => each.replace(/ .* -> /, " "));
  const image = brought.filter((each) => each.startsWith("image "));
  return image.length > 0 ? image : brought;
}

function goBack(situation: Situation, name: string, toRevision?: number): Undo {
  const { spec, deployed } = situation;
  const group = findGroup(spec, name);
  const current = deployed.groups.get(group.name);
  if (!current) throw new UserError(`${group.name} is new and has never stood`);
  const last = lastRevision(current);
  // A roll that was killed while work left is seen in the log alone.
  const isOut =
    group.hash !== last.hash &&
    outOf(readRuns(situation.events), deployed).some(
      (each) => each.group === group.name && isTo(each, group),
    );
  const isBegun = isOut || inFlightOf(spec, deployed).some((each) => each.group === group.name);
  // A change in place that nobody has made is an edit that was never rolled.
  const otherwise = isBegun ? [] : changesInPlace(group, current);
  const isWhole = !isBegun && group.hash === last.hash && otherwise.length === 0;
  const isOther = otherIn(group, current);
  const to = target(current, isWhole ? (each) => isOther(each, last) : () => true, toRevision);
  const { template, kept, volumes } = restored(group, current, to);
  const generation = generationBack(group, current, to, isOut);
  const change = { ...template, ...volumes, generation };
  const is = isBegun ? "begun" : isWhole ? "whole" : "edited";
  const isSized = isBegun || volumes.volumeGib === undefined;
  if (makesTheSame(template, group) && isSized && (isBegun || generation === group.generation))
    throw nothing(is, group, current, to, [
      ...kept,
      ...(otherwise.length > 0 ? [`${describeInPlace(group, current)}; set that back in the spec`] : []),
    ]);
  const isNext = templateHash(change) !== last.hash;
  const number = String(to.number);
  const from = isWhole ? `revision ${String(last.number)} -> ${number}` : `back to revision ${number}`;
  const end = isNext
    ? `, as revision ${String(last.number + 1)}`
    : isBegun
      ? ""
      : ": the edit was never rolled";
  const returns = isWhole ? backAndForth(current, last, to, isOther) : [];
  return {
    group: group.name,
    ...{ is, from: group, isReturn: returns.length > 0 },
    at: Date.parse(current.revisions.find((each) => each.number > to.number)?.roll?.ended ?? "") || 0,
    change,
    message: `undo ${group.name}: ${describeChange(group, change)} (${from}${end})`,
    warnings: [...kept.map((each) => `${group.name}: ${each}`), ...(toRevision === undefined ? returns : [])],
    isRolled: isBegun || isNext,
  };
}

/** Whether two revisions of a group are of templates that make other machines. */
const otherIn =
  (group: Group, current: DeployedGroup) =>
  (one: Revision, other: Revision): boolean =>
    !makesTheSame(templateIn(one, group, current), templateIn(other, group, current));

/** @throws UserError for one that is not in the history */
function target(
  { name, revisions }: DeployedGroup,
  isMeant: (revision: Revision) => boolean,
  asked: number | undefined,
): Revision {
  const numbers = revisions.map(({ number }) => number);
  if (asked !== undefined) {
    const found = revisions.find(({ number }) => number === asked);
    if (found) return found;
    throw notInHistory(name, asked, numbers);
  }
  const found = revisions.findLast(isMeant);
  if (found) return found;
  const only =
    revisions.length === 1
      ? `${name} has no earlier revision: its history has only ${rangeOf(numbers)}`
      : `${name} has no earlier template: its revisions ${rangeOf(numbers)} differ in their generation alone`;
  const instead = `${only}; give it another image with: rollout set image ${name}=IMAGE`;
  throw new UserError([instead, ...listed(revisions)].join("\n"));
}

function nothing(
  is: Undo["is"],
  { name, image }: Group,
  { revisions }: DeployedGroup,
  to: Revision,
  kept: readonly string[],
): UserError {
  const number = String(to.number);
  const why = {
    begun: `${name} is on its way to ${image}, the image of revision ${number}; finish it: rollout deploy ${name}`,
    whole: `${name} already runs ${image}, as revision ${number} did`,
    edited: `the spec has the template of revision ${number} already; roll it: rollout deploy ${name}`,
  }[is];
  const own = is !== "begun" && to === revisions.at(-1) ? `${name} already runs revision ${number}` : why;
  return new UserError([`nothing to undo: ${[own, ...kept].join("; ")}`, ...listed(revisions)].join("\n"));
}

const listed = (revisions: readonly Revision[]): string[] =>
  ["revisions, for --to-revision:"].concat(
    revisions.map(({ number, image, generation, template }, index) =>
      [
        `  ${String(number)}: ${image}`,
        ...(template ? [template.instanceType] : []),
        ...(generation === 0 ? [] : [`generation ${String(generation)}`]),
        ...(index === revisions.length - 1 ? ["deployed"] : []),
      ].join(", "),
    ),
  );

/** People who undo twice expect to go one further back, and not to return to what they have left. */
function backAndForth(
  { revisions }: DeployedGroup,
  last: Revision,
  to: Revision,
  isOther: (one: Revision, other: Revision) => boolean,
): string[] {
  const before = revisions.findLast((each) => each.number < to.number && isOther(each, to));
  if (!before || isOther(before, last)) return [];
  const further = revisions.findLast(
    (each) => each.number < before.number && isOther(each, last) && isOther(each, to),
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
