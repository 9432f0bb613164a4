import { readHold } from "../clients/run-store/hold.js";
import { among, heldBack, refusal } from "../rollout/roll/may-roll.js";
import { HOLDS } from "../rollout/roll/pace.js";
import { UserError } from "../cluster/user-error.js";
import { readSituation } from "../program/situation.js";
import type { Run } from "./run.js";

/** Somebody has said pause or cancel before anything of the group was begun. */
export class Held extends UserError {
  override readonly name = "Held";
}

/**
 * A pause or a cancel holds what is to begin, also where it was said after the view was made. What is in flight is finished.
 * @throws Held with what comes first
 */
export async function refuseHeld(
  { env, store, clock, despite }: Pick<Run, "env" | "store" | "clock" | "despite">,
  group: string | undefined,
): Promise<void> {
  if ((await readHold(store)) === undefined) return;
  const held = heldBack(await readSituation(env, clock.now()), group);
  const reasons = among(held, ...HOLDS).filter(({ id }) => despite?.ids.includes(id) !== true);
  if (reasons.length === 0) return;
  const { message, exitCode, ids } = refusal(reasons, `${group ?? "cluster"} is not rolled`);
  throw new Held(message, exitCode, ids);
}
