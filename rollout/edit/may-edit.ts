import { describePending, inFlightOf, pendingGroups } from "../../cluster/pending.js";
import { UserError } from "../../cluster/user-error.js";
import { describeHold } from "../run/hold-words.js";
import type { Situation } from "../status/situation.js";
import { formatTime } from "../log/time.js";

/**
 * Refuses an edit that makes a group pending while another one, a hold or a run stands in the way.
 * @param done what is not done then: `undone`
 * @throws UserError with the next command
 */
export function refuseToEdit(situation: Situation, group: string, done: string): void {
  const { spec, deployed, hold, run, at } = situation;
  const refuse = (why: string, next: string): never => {
    throw new UserError(`${why}, so ${group} is not ${done}; ${next}`);
  };
  if (hold) {
    const state = hold.kind === "pause" ? "paused" : "cancelled";
    refuse(`${spec.name} is ${state} (${describeHold(hold, at)})`, "first: rollout resume");
  }
  if (run) {
    const who = `${run.command}, by ${run.by} (process ${String(run.pid)}) since ${formatTime(run.since, at)}`;
    refuse(`a run is under way (${who})`, "wait for it (rollout status --watch) or end it: rollout cancel");
  }
  if (deployed.origin.kind !== "state" || deployed.origin.copy === true)
    refuse("what is deployed was not read from the state", "unset ROLLOUT_DEPLOYED");
  if (spec.protection === "off") refuse("protection is off", "set protection: on in the spec first");
  const other = inFlightOf(spec, deployed).find((each) => each.group !== group);
  if (other) refuse(`${other.group} is in flight`, `finish it first: rollout deploy ${other.group}`);
  if (spec.rollout.pendingGroups === "queue") return;
  const pending = pendingGroups(spec, deployed).find(({ name }) => name !== group);
  const current = pending && deployed.groups.get(pending.name);
  if (pending && current) {
    refuse(
      `${pending.name} is pending (${describePending(pending, current)})`,
      `roll it first (rollout deploy ${pending.name}), or set it back`,
    );
  }
}
