import type { Environment } from "../clients/environment.js";
import { shellWords } from "../clients/ssh/shell-words.js";
import { findTargets } from "../cluster/find-group.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { refusedByState } from "../guard/refused-by-state.js";
import { readSituation } from "../program/situation.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { wholeRoll, type WholeRoll } from "../rollout/roll/whole-roll.js";

/** What a command line asks to be rolled. */
export interface Asked {
  /** A group or a pool; absent for all groups. */
  readonly target?: string | undefined;
  readonly all: boolean;
  /** The image that the groups are to run; absent: what the spec leaves pending is rolled. */
  readonly image?: string | undefined;
}

/** @throws UserError (exit code 2) where it is not clear what is to be rolled */
export function wantedOf(spec: Spec, { target, all, image }: Asked): Wanted {
  const groups = findTargets(spec, { target, all }, "roll");
  const words = [
    "rollout deploy",
    all ? "--all" : (target ?? ""),
    ...(image === undefined ? [] : ["--image", image]),
  ];
  return { groups, command: words.join(" "), ...(image === undefined ? {} : { image }) };
}

/** A whole roll before it begins, and the spec that it was made from. @param now milliseconds since 1970 */
export async function readWholeRoll(
  env: Environment,
  wanted: Wanted,
  now: number,
): Promise<{ readonly roll: WholeRoll; readonly spec: Spec }> {
  const situation = await readSituation(env, now);
  const { spec, deployed } = situation;
  return { roll: wholeRoll(situation, wanted, (name) => refusedByState(spec, deployed, name)), spec };
}

/** What rolls an intent, for a shell. @param file its path, as it stands or whole */
export const intentCommand = (file: string, sha256: string): string =>
  `rollout deploy --intent ${/^[\w@%+=:,./-]+$/.test(file) ? file : shellWords([file])} --sha256 ${sha256.toLowerCase()}`;
