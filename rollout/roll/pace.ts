import type { ClusterState } from "../../cluster/cluster-state.js";
import type { Deployed } from "../../cluster/deployed.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import type { RollFacts } from "../log/roll-facts.js";
import type { Reason, ReasonId } from "./may-roll.js";

/** What somebody has said. */
export const HOLDS = ["paused", "cancelled"] as const satisfies readonly ReasonId[];

/** What keeps a group from being begun though nothing is wrong. `--despite` overrides it. */
export const PACE = ["paused", "manual", "pause-after", "interval"] as const satisfies readonly ReasonId[];

const [RESUME, WAIT] = ["rollout resume", "wait for it"];

/** How it is begun all the same. */
export const despite = (id: ReasonId): string => `--despite ${id} --reason TEXT`;

/**
 * The pace that the spec asks for between one group and the next, whoever rolls them. A group that is rolled anew, as after
 * an undo, is no next one.
 */
export function paced(
  { spec, deployed }: ClusterState,
  groups: readonly string[],
  facts: RollFacts,
  at: number,
): Reason[] {
  const { manual, pauseAfter, interval } = spec.rollout;
  const last = lastEnd(deployed, facts);
  const isReleased = facts.heldAt !== undefined && facts.heldAt >= last.at;
  const isAnew = groups.every((group) => group === last.group);
  // A clock that was set back must not make it longer.
  const until = Math.min(last.at, at) + durationSeconds(interval) * 1000;
  const reasons: (Reason | false)[] = [
    manual && !isReleased && { id: "manual", text: "rollout.manual: every group waits", remedy: RESUME },
    pauseAfter.includes(last.group) &&
      !isAnew &&
      !isReleased && { id: "pause-after", text: `rollout.pauseAfter names ${last.group}`, remedy: RESUME },
    until > at && !isAnew && { id: "interval", text: `rollout.interval: ${interval}`, remedy: WAIT, until },
  ];
  return reasons.filter((each) => each !== false);
}

/** The roll that ended last: by the log, or by the state where Terraform was called by itself. A creation is none. */
function lastEnd(deployed: Deployed, { lastEnd }: RollFacts): NonNullable<RollFacts["lastEnd"]> {
  const recorded = [...deployed.groups.values()].flatMap(({ name, revisions }) => {
    const { number = 1, roll } = revisions.at(-1) ?? {};
    return number > 1 && roll ? [{ group: name, at: Date.parse(roll.ended) }] : [];
  });
  return recorded.reduce((last, each) => (each.at > last.at ? each : last), lastEnd ?? NEVER);
}

const NEVER = { group: "", at: Number.NEGATIVE_INFINITY };
