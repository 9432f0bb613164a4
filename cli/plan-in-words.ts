import type { Environment } from "../clients/environment.js";
import { putFile } from "../clients/put-file.js";
import { poolsOf } from "../cluster/groups.js";
import { sha256 } from "../cluster/sha256.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { intentNow } from "../program/intent.js";
import { readSpec } from "../program/read-spec.js";
import { refreshDesired } from "../program/run-program.js";
import { expiryOf } from "../rollout/roll/intent.js";
import { wholeRollSchema, type WholeRoll } from "../rollout/roll/whole-roll.js";
import { formatMadePlan } from "./output/plan.js";
import { formatWholeRoll } from "./output/whole-roll.js";
import { checkWritable, runPlan, type PlanArgs } from "./plan.js";
import { intentCommand, readWholeRoll, wantedOf, type Asked } from "./whole-roll.js";

export interface PlanVerbArgs extends PlanArgs {
  readonly all: boolean;
  readonly image?: string;
  /** Write what is going to be done into this file, for somebody to approve. */
  readonly intent?: string;
  readonly format: "text" | "json";
}

/** What `rollout plan` prints: of several groups or with an image the whole roll, of one view the plan below it. */
export async function planInWords(
  env: Environment,
  { view, out, all, image, intent, format }: PlanVerbArgs,
): Promise<{ readonly text: string; readonly isAccepted: boolean }> {
  await refreshDesired(env, console.error);
  const { spec } = readSpec(env);
  const isPool = view !== undefined && poolsOf(spec).some(({ name }) => name === view);
  if (all || isPool || image !== undefined || intent !== undefined) {
    if (out !== undefined)
      throw new UserError(
        "--out keeps the plan of one view: name a group, or cluster, and none of --all, --image and --intent",
        2,
      );
    const asked = { target: view, all, image };
    const now = Date.now();
    const { roll, spec: shown } = await readWholeRoll(env, wantedOf(spec, asked), now);
    const isAccepted = roll.refused.length === 0;
    if (intent !== undefined && isAccepted) checkWritable(intent, [intent]);
    const note =
      intent === undefined ? [] : await writeIntent(env, intent, { asked, roll, spec: shown, now });
    const text =
      format === "json"
        ? JSON.stringify(wholeRollSchema.parse(roll), null, 2)
        : [formatWholeRoll(roll, intent !== undefined), ...note].join("\n");
    return { text, isAccepted };
  }
  const made = await runPlan(env, { view, out });
  const isAccepted = made.result.verdict === "accepted";
  const planned = formatMadePlan(made, format);
  const { view: group } = made.summary;
  if (format === "json" || group === "cluster") return { text: planned, isAccepted };
  const { roll } = await readWholeRoll(env, wantedOf(spec, { target: group, all: false }), Date.now());
  const above = roll.groups.length > 0 ? [formatWholeRoll(roll), ""] : [];
  return { text: [...above, planned].join("\n"), isAccepted };
}

/** Writes what a roll is going to do. @returns what to say of it; nothing is written of what is refused */
async function writeIntent(
  env: Environment,
  file: string,
  { asked: { target, image }, roll, spec, now }: { asked: Asked; roll: WholeRoll; spec: Spec; now: number },
): Promise<string[]> {
  const begun = roll.groups.filter((group) => group.begun).map(({ name }) => name);
  if (begun.length > 0)
    throw new UserError(
      `no intent is made while a group is in flight: ${begun.join(", ")}; first: rollout deploy ${begun[0] ?? ""}`,
    );
  if (roll.refused.length > 0) return [`what is refused is not to be approved: ${file} was not written`];
  const { intent } = await intentNow(
    env,
    {
      asked: { target: target ?? null, image: image ?? null },
      groups: roll.groups.map(({ name }) => name),
      expires: new Date(expiryOf(roll, spec, now)).toISOString(),
    },
    now,
  );
  const text = `${JSON.stringify(intent, null, 2)}\n`;
  putFile(file, text, 0o644);
  return [
    `intent: ${file}, to begin until ${intent.expires}`,
    `roll just this: ${intentCommand(file, sha256(text))}`,
  ];
}
