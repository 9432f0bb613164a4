import type { Intent } from "../../cluster/run/intent.js";
import { outOf } from "../log/roll-facts.js";
import { readRuns } from "../log/read-runs.js";
import type { Situation } from "../status/situation.js";
import { unfinishedNames } from "./may-roll.js";

/**
 * The groups whose roll by an intent, or the undo of it, has begun and not ended: work has left by the log, or something of it
 * stands in the state. One that is in flight for another reason, as a machine that was lost, is none.
 */
export function begunBy({ groups }: Pick<Intent, "groups">, situation: Situation): string[] {
  const { deployed, events } = situation;
  const out = outOf(readRuns(events), deployed);
  return unfinishedNames(situation).filter((name) => {
    const group = groups.find((each) => each.name === name);
    const current = deployed.groups.get(name);
    if (!group || !current || (current.revisions.at(-1)?.number ?? null) !== group.base) return false;
    const { before, after, undo } = group;
    const left = out.find((each) => each.group === name);
    const isLeft =
      left !== undefined &&
      (left.hash === undefined
        ? left.to === after.template?.image
        : [after.hash, undo?.hash].includes(left.hash));
    const { hosts, leaveFor, ready } = current;
    const isMade = [...hosts, leaveFor, ready].some(
      (each) =>
        each?.hash !== undefined && each.hash !== before.hash && [after.hash, undo?.hash].includes(each.hash),
    );
    const isMore = before.hosts < after.hosts && hosts.length > before.hosts;
    return isLeft || isMade || isMore;
  });
}
