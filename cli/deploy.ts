import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { unfinished } from "../rollout/roll/may-roll.js";
import { findGroups } from "../cluster/find-group.js";
import { groupsOf, type Role } from "../cluster/groups.js";
import { isNew } from "../cluster/pending.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { answerTo, type Dialogue } from "./ask.js";
import { confirmBy, refuseUnasked } from "../driver/confirm.js";
import { groupResultSchema } from "../driver/deploy-result.js";
import { jsonProgress, plainProgress } from "./output/progress.js";
import { PlanRejected } from "../driver/plan-view.js";
import { roll } from "../driver/roll.js";
import type { RollDeps } from "../driver/roll-groups.js";
import { inRun } from "../driver/run.js";
import { formatCheck } from "./output/check.js";
import { formatQuestion } from "./output/plan.js";
import { terminalProgress } from "./output/terminal-progress.js";
import { realClock } from "../clients/clock.js";
import { refuseHeld } from "../program/held.js";
import { readCluster } from "../program/read-deployed.js";
import { pinSpec, readSpec } from "../program/read-spec.js";
import { inPlace, isWatched } from "./output/tasks.js";
import { despiteIn, type DespiteOptions } from "./verb.js";

/** What `rollout deploy --format json` prints. */
export const deployResultSchema = z.strictObject({
  cluster: z.string(),
  groups: z.array(z.object({ group: z.string() }).and(groupResultSchema)),
});

export type DeployResult = z.output<typeof deployResultSchema>;

export interface DeployArgs extends DespiteOptions {
  /** A group or a pool; absent for all groups. */
  readonly target?: string | undefined;
  readonly all: boolean;
  /** The image that the groups are to run; absent: what the spec leaves pending is rolled. */
  readonly image?: string;
  readonly yes: boolean;
  readonly confirm: readonly string[];
  readonly format: "text" | "json";
}

/**
 * Rolls a group, a pool or all groups, or goes on where an earlier run was cut off. Progress goes to standard error.
 * @throws UserError saying what to do next
 */
export async function runDeploy(
  given: Environment,
  args: DeployArgs,
  dialogue: Dialogue,
): Promise<DeployResult> {
  const source = readSpec(given);
  const { spec } = source;
  const env = pinSpec(given, source);
  const wanted = wantedOf(spec, args);
  const isOne = args.image === undefined && wanted.groups.length === 1;
  const [first = ""] = wanted.groups;
  if (isOne) await refuseHeld({ env, ...wanted }, first);
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const isJson = args.format === "json";
  const answers = {
    yes: args.yes,
    confirmed: args.confirm,
    ask: dialogue.input.isTTY ? (question: string) => answerTo(question, dialogue) : undefined,
  };
  refuseUnasked(await toBeEdited(env, wanted), answers);
  const confirm = confirmBy({
    ...answers,
    show: (question) => {
      if (!isJson) say(formatQuestion(question));
    },
  });
  const drawn = { draw: inPlace, write: say, now: realClock.now };
  const progress = isJson ? jsonProgress(say) : isWatched() ? terminalProgress(drawn) : plainProgress(say);
  const { command } = wanted;
  // Whoever finishes what is in flight goes on from a run that is gone.
  const mayFollow = async (): Promise<boolean> =>
    unfinished(await readCluster(env)).some(({ group }) => wanted.groups.includes(group));
  const groups = await inRun(
    { env, clock: realClock, progress, confirm, command, mayFollow },
    async (run) => {
      const tell: RollDeps["say"] = (text, wait) => {
        if (isJson) say(JSON.stringify({ kind: "line", text, id: wait?.id, until: wait?.until }));
        else say(text);
      };
      const end = await roll(run, wanted, tell);
      if (end.kind === "done") return end.groups;
      const rolled = end.groups.map(({ group }) => group).join(", ");
      throw new UserError(`${end.reason}; rolled: ${rolled || "none"}; next: ${end.command}`);
    },
  ).catch((error: unknown) => {
    throw error instanceof PlanRejected ? new UserError(formatCheck(error.result)) : error;
  });
  return { cluster: spec.name, groups: [...groups] };
}

/** @throws UserError (exit code 2) where it is not clear what is to be rolled */
function wantedOf(spec: Spec, { target, all, image, ...options }: DeployArgs): Wanted {
  if (all === (target !== undefined)) {
    throw new UserError(
      all
        ? `${String(target)} and --all were both given; name a group or a pool, or say --all`
        : "nothing to roll; name a group or a pool, or say --all",
      2,
    );
  }
  const groups = (all ? groupsOf(spec) : findGroups(spec, target ?? "")).map(({ name }) => name);
  const words = [
    "rollout deploy",
    all ? "--all" : (target ?? ""),
    ...(image === undefined ? [] : ["--image", image]),
  ];
  const despite = despiteIn(options);
  return {
    groups,
    command: words.join(" "),
    ...(image === undefined ? {} : { image }),
    ...(despite ? { despite } : {}),
  };
}

/** The groups whose image the roll is going to edit: each is asked for once its edit is made, which is too late for a refusal. */
async function toBeEdited(
  env: Environment,
  { groups, image }: Wanted,
): Promise<{ readonly group: string; readonly role: Role }[]> {
  if (image === undefined) return [];
  const { spec, deployed } = await readCluster(env);
  return groupsOf(spec).flatMap(({ name: group, role, image: desired }) =>
    groups.includes(group) && desired !== image && !isNew(deployed.groups.get(group))
      ? [{ group, role }]
      : [],
  );
}
