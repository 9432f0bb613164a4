import type { Deployed } from "../../cluster/deployed.js";
import type { Group } from "../../cluster/groups.js";
import { attemptsOf, isChange, isWhole, type Attempt, type Run } from "./read-runs.js";

/** What a cluster's log says of its rolls. How far a roll has come is read from the state, never from here. */
export interface RollFacts {
  /** The group that was rolled last, and when, in milliseconds since 1970. */
  readonly lastEnd?: { readonly group: string; readonly at: number } | undefined;
  /**
   * When a roll was held by itself last, or let go. While a hold is there it still holds; once `rollout resume` has taken it
   * away it has been let go, until the next group has been rolled.
   */
  readonly heldAt?: number | undefined;
  /** When a group was changed in place last: under `rollout.manual` what was let go before it holds the next one again. */
  readonly changedAt?: number | undefined;
  /** The gate that was not passed last in this roll. */
  readonly failure?: RollFailure | undefined;
  /** Groups that have begun to leave and have not been whole since. The state does not show it before a machine goes. */
  readonly out: readonly string[];
}

export interface RollFailure {
  readonly group: string;
  /** The image that it was rolled to. */
  readonly to: string;
  /** The template that it was rolled to; absent in logs of earlier versions. */
  readonly hash?: string | undefined;
  readonly message: string;
}

/**
 * The facts of a log's runs. A roll ends where its run says so. One that was killed or interrupted has not ended: the next run
 * goes on with it, and what was seen then counts.
 */
export function rollFacts(runs: readonly Run[], deployed: Deployed): RollFacts {
  const ended = runs.findLastIndex(({ end }) => end && end.result !== "interrupted");
  const own = runs.slice(ended + 1);
  const attempts = attemptsOf(runs);
  const [changes, all] = [attempts.filter(isChange), attempts.filter((each) => !isChange(each))];
  const [last, changed] = [all.findLast(isWhole), changes.at(-1)?.end];
  const held = runs.findLast(({ heldAt }) => heldAt !== undefined)?.heldAt;
  return {
    lastEnd: last?.end && { group: last.group, at: Date.parse(last.end.at) },
    heldAt: held === undefined ? undefined : Date.parse(held),
    ...(changed ? { changedAt: Date.parse(changed.at) } : {}),
    failure: attemptsOf(own).flatMap(failedGate).at(-1),
    out: outIn(all, deployed, all).map(({ group }) => group),
  };
}

const failedGate = ({ group, to, hash, steps, end }: Attempt): RollFailure[] =>
  end?.result === "failed" && steps.at(-1)?.step === "gate" && to !== undefined
    ? [{ group, to, hash, message: end.message ?? "it is not ready" }]
    : [];

/** The groups that have begun to leave in these attempts and have not been whole since, in the order in which they left. */
function leftIn(attempts: readonly Attempt[]): string[] {
  const out = new Set<string>();
  for (const attempt of attempts) {
    if (hasLeft(attempt) || isWhole(attempt)) out.delete(attempt.group);
    if (hasLeft(attempt) && !isWhole(attempt)) out.add(attempt.group);
  }
  return [...out];
}

const hasLeft = ({ steps }: Attempt): boolean => steps.some(({ step }) => step === "leave");

/** A group that has begun to leave and has not been whole since, and the images between which it was rolled. */
export type Out = Pick<Attempt, "group" | "from" | "to" | "hash">;

/** Whether something was rolled to the template of a group; by its image, where an earlier version wrote the log. */
export const isTo = (
  { to, hash }: Pick<Attempt, "to" | "hash">,
  group: Pick<Group, "image" | "hash">,
): boolean => (hash === undefined ? (to ?? group.image) === group.image : hash === group.hash);

/** The groups that are out by a log. None is that was so before another was rolled: no work leaves unless all others are well. */
export function outOf(runs: readonly Run[], deployed: Deployed): Out[] {
  const all = attemptsOf(runs).filter((each) => !isChange(each));
  const rolled = all.findLastIndex(({ end }) => end?.result === "ok");
  return outIn(all.slice(rolled + 1), deployed, all);
}

/**
 * Without what Terraform alone has rolled since, of which no log says anything: whoever does counts up the revision. What a group
 * came from is that of the roll in which it left; later ones may have been refused before that.
 */
const outIn = (attempts: readonly Attempt[], { groups }: Deployed, all: readonly Attempt[]): Out[] =>
  leftIn(attempts).flatMap((group) => {
    const own = all.filter((each) => each.group === group && each.isBegun);
    const { from, fromRevision = Infinity } = own.findLast(hasLeft) ?? {};
    const { to, hash } = own.at(-1) ?? {};
    const last = groups.get(group)?.revisions.at(-1);
    return last === undefined || last.number <= fromRevision ? [{ group, from, to, hash }] : [];
  });
