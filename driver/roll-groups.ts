import { isDeepStrictEqual } from "node:util";
import {
  groupsToRoll,
  nextRoll,
  type Blocked,
  type RollStep,
  type Wanted,
} from "../rollout/roll/next-group.js";
import { PACE, unfinished, type Reason, type ReasonId } from "../rollout/roll/may-roll.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { rollFacts, type RollFailure } from "../rollout/log/roll-facts.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import type { GroupChange } from "../cluster/yaml/edit.js";
import { findGroup } from "../cluster/find-group.js";
import { groupsOf } from "../cluster/groups.js";
import type { Hold } from "../cluster/run/hold.js";
import type { LogEvent } from "../cluster/run/run-log.js";
import { Departed } from "./approved.js";
import { NotConfirmed } from "./confirm.js";
import type { GroupResult } from "./deploy-result.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import type { Clock } from "../clients/clock.js";

/** What a roll of several groups is seen by, and done with. */
export interface RollDeps {
  /** Reads everything anew. */
  look(): Promise<Look>;
  /** Gives one group of `cluster.yaml` other values. What somebody else has written meanwhile is never overwritten. */
  edit(group: string, change: GroupChange): Promise<Spec>;
  /** Why taking a group back to an image is a downgrade, which nobody does unasked; undefined where it is none. */
  downgrade(group: string, image: string): Promise<string | undefined>;
  /**
   * Rolls one group, or finishes its roll; undefined where it was stopped, since it is wanted back.
   * @throws UserError; {@link isGateFailure} tells a gate that was not passed
   */
  deploy(group: string, despite?: readonly ReasonId[]): Promise<GroupResult | undefined>;
  /**
   * Ends the drain of a group that goes back: the generation of its machines, where none has to be replaced.
   * @throws UserError, with the drain as it was, where the spec cannot go back
   */
  endDrain(group: string, change: GroupChange): Promise<number | undefined>;
  isGateFailure(error: unknown): error is Error;
  /** Puts a hold down that `rollout resume` takes away, and then says so in the log. */
  hold(reason: string): Promise<void>;
  /** Says what the roll waits for. */
  readonly onCondition: (message: string) => void;
  /** @param wait what is waited for, for those who read no text */
  readonly say: (line: string, wait?: Pick<Reason, "id" | "until">) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Look extends ClusterState {
  readonly hold: Hold | undefined;
  readonly events: readonly LogEvent[];
  /** The groups whose servers lead, as far as that is known. */
  readonly leaders: readonly string[];
}

/** How a roll ended. */
export type RollEnd = { readonly groups: readonly RolledGroup[] } & ({ readonly kind: "done" } | Blocked);

type RolledGroup = GroupResult & { readonly group: string };

/** How often a roll that waits looks whether something has changed. */
const EVERY_MS = 5000;

/**
 * Rolls group after group, each step decided from a new look. Killed anywhere, it goes on from there when it is called
 * again.
 * @param shown the spec that somebody has confirmed. Default: the one that is seen first
 * @throws UserError of a group that cannot be rolled, or when somebody else has edited the spec meanwhile
 */
export async function rollGroups(deps: RollDeps, wanted: Wanted, shown?: Spec): Promise<RollEnd> {
  const { clock, signal, say } = deps;
  const groups: RolledGroup[] = [];
  // What this process knows by itself where its log could not be written, as on a full disk.
  let ownFailure: RollFailure | undefined;
  /** Until when what is there holds this roll, which waits for the resume. Infinity: until that is said. */
  let heldUntil: number | undefined;
  let isReleased = false;
  let known = shown;
  let before: string | undefined;
  let edited: Extract<RollStep, { step: "set-image" }> | undefined;
  // One group that the spec leaves pending answers for itself, in its own words, once it is its turn.
  let isOne = wanted.image === undefined && wanted.groups.length === 1;
  for (;;) {
    signal.throwIfAborted();
    const seen = await deps.look();
    if (known && !isDeepStrictEqual(seen.spec, known)) throw editedMeanwhile(known, seen.spec, wanted);
    known = seen.spec;
    // A freeze that has ended by itself is nobody's word: then the roll puts its own hold down.
    if (!seen.hold && heldUntil !== undefined && clock.now() < heldUntil) isReleased = true;
    const logged = rollFacts(readRuns(seen.events), seen.deployed);
    const { failure = ownFailure } = logged;
    // Nor has anybody said resume while what this roll has put down is there.
    const isHeld = seen.hold !== undefined && seen.hold.until === undefined;
    const heldAt = isReleased ? Infinity : isHeld ? undefined : logged.heldAt;
    const facts = { ...logged, heldAt, failure };
    const situation = { ...seen, wanted, facts, at: clock.now() };
    const next = nextRoll(situation);
    const despite = next.kind === "step" && next.step.step === "roll" ? next.step.despite : undefined;
    const [group = ""] = wanted.groups;
    if (isOne && !(next.kind === "step" && "id" in next.step)) {
      // Of what is to be repaired only the driver knows, once it looks.
      const repair = next.kind === "done" ? PACE.filter((id) => wanted.despite?.ids.includes(id)) : [];
      const result = await deps.deploy(group, despite ?? (repair.length > 0 ? repair : undefined));
      if (result) return { kind: "done", groups: [{ group, ...result }] };
      isOne = false;
      continue;
    }
    if (next.kind !== "step") return { ...next, groups };
    const { step } = next;
    const left = groupsToRoll(situation).map(({ name }) => name);
    const done = new Set(groups.flatMap(({ group }) => (left.includes(group) ? [] : [group]))).size;
    const said = describe(step, { place: done + 1, of: done + left.length });
    if (said !== before) say(said, "id" in step ? step : undefined);
    else if (step.step === "roll") throw new Error(`${step.group} was rolled and still is to be rolled`);
    before = said;
    switch (step.step) {
      case "set-image":
        known = await deps.edit(step.group, { image: step.to });
        edited = step;
        break;
      case "undo": {
        const reason = await deps.downgrade(step.group, step.change.image);
        const command = `rollout undo ${step.group} --despite downgrade --reason TEXT, or once the cause is gone: ${wanted.command}`;
        if (reason !== undefined) return { kind: "blocked", reason, command, groups };
        const generation = (await deps.endDrain(step.group, step.change)) ?? step.change.generation;
        known = await deps.edit(step.group, { ...step.change, generation });
        break;
      }
      case "roll":
        try {
          const result = await deps.deploy(step.group, despite);
          if (result) {
            groups.push({ group: step.group, ...result });
            [heldUntil, isReleased] = [undefined, false];
          }
          // A machine that is lost just then makes the same group the next once more.
          if (result?.result !== "nothing") before = undefined;
        } catch (error) {
          // Somebody who says no has not asked for the edit either; what has begun needs it to be finished.
          const isRefused = error instanceof NotConfirmed || error instanceof Departed;
          if (isRefused && edited?.group === step.group && isUntouched(seen, await deps.look(), step.group))
            await deps.edit(step.group, { image: edited.from });
          if (!deps.isGateFailure(error)) throw error;
          const { name: group, image: to, hash } = findGroup(known, step.group);
          ownFailure = { group, to, hash, message: error.message };
          before = undefined;
        }
        break;
      case "wait":
        deps.onCondition(said);
        await clock.pause(Math.min(EVERY_MS, step.until - clock.now()), signal);
        break;
      case "hold":
        if (!seen.hold) await deps.hold(step.reason);
        heldUntil = seen.hold?.until === undefined ? Infinity : Date.parse(seen.hold.until);
        deps.onCondition(said);
        await clock.pause(EVERY_MS, signal);
        break;
    }
  }
}

/** Whether nothing of a group has begun since it was seen: no work of it has left, and its machines and its record are the same. */
function isUntouched(before: Look, now: Look, name: string): boolean {
  const [was, is] = [before, now].map(({ deployed }) => deployed.groups.get(name));
  const facts = rollFacts(readRuns(now.events), now.deployed);
  return (
    !unfinished(now, facts).some(({ group }) => group === name) &&
    isDeepStrictEqual(was?.revisions, is?.revisions) &&
    isDeepStrictEqual(
      was?.hosts.map(({ id, hash }) => [id, hash]),
      is?.hosts.map(({ id, hash }) => [id, hash]),
    )
  );
}

function describe(step: RollStep, { place, of }: { readonly place: number; readonly of: number }): string {
  switch (step.step) {
    case "set-image":
      return `${step.group}: image set, ${step.from} -> ${step.to}`;
    case "undo":
      return `${step.group}: taken back, ${step.what}: ${step.reason}`;
    case "roll":
      return `${step.group}: comes next${of > 1 ? `, group ${String(place)} of ${String(of)}` : ""}`;
    case "wait":
      return `waiting until ${new Date(step.until).toISOString()} before ${step.group} (${step.reason}); all the same: ${despite(step.id)}`;
    case "hold":
      return `paused before ${step.group}: ${step.reason}; rollout resume goes on, Ctrl-C ends this run; all the same: ${despite(step.id)}`;
  }
}

const despite = (id: ReasonId): string => `--despite ${id} --reason TEXT`;

/** What somebody has written is theirs: this run neither undoes it nor rolls what it was not asked for. */
function editedMeanwhile(before: Spec, after: Spec, { command }: Wanted): UserError {
  const old = new Map(groupsOf(before).map((group) => [group.name, group]));
  const groups = groupsOf(after).flatMap((group) => {
    const was = old.get(group.name);
    if (isDeepStrictEqual(was, group)) return [];
    return was && was.image !== group.image
      ? [`${group.name} (${was.image} -> ${group.image})`]
      : [group.name];
  });
  const what = groups.length > 0 ? groups.join(", ") : "other values than those of groups";
  return new UserError(
    `the spec was edited while this ran: ${what}; nothing of it was overwritten, and nothing is rolled by it: look at it, then run this again: ${command}`,
  );
}
