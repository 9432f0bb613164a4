import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { dropGoal, setGoal, settleGoal } from "../clients/run-store/goal.js";
import { whoRuns } from "../clients/who-runs.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { unfinished } from "../rollout/roll/may-roll.js";
import { DEPLOY, phaseOf } from "../rollout/status/phase.js";
import { findTargets } from "../cluster/find-group.js";
import { groupsOf, type Role } from "../cluster/groups.js";
import { isNew } from "../cluster/pending.js";
import { missingOf } from "../cluster/run/goal.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { answerTo, type Dialogue } from "./ask.js";
import { confirmBy, NotConfirmed, refuseUnasked } from "../driver/confirm.js";
import { groupResultSchema } from "../driver/deploy-result.js";
import { jsonProgress, plainProgress } from "./output/progress.js";
import { deployCluster } from "../driver/deploy-cluster.js";
import { PlanRejected } from "../driver/plan-view.js";
import { refuseHeld } from "../driver/refuse-held.js";
import { roll } from "../driver/roll.js";
import type { Say } from "../driver/roll-groups.js";
import { inRun, type Run } from "../driver/run.js";
import { formatCheck } from "./output/check.js";
import { formatQuestion } from "./output/plan.js";
import { terminalProgress } from "./output/terminal-progress.js";
import { realClock } from "../clients/clock.js";
import { commitCommand } from "../program/commits.js";
import { readCluster } from "../program/read-deployed.js";
import { pinSpec, readSpec } from "../program/read-spec.js";
import { readSituation } from "../program/situation.js";
import { openRunStore } from "../program/run-store.js";
import { inPlace, isWatched } from "./output/tasks.js";
import { despiteIn, type DespiteOptions } from "./verb.js";

/** What `rollout deploy --format json` prints. */
export const deployResultSchema = z.strictObject({
  cluster: z.string(),
  groups: z.array(z.object({ group: z.string() }).and(groupResultSchema)),
  commit: z.string().nullable().describe("What commits the spec, where --image has edited it."),
});

export type DeployResult = z.output<typeof deployResultSchema>;

export interface DeployArgs extends DespiteOptions {
  /** A group or a pool; absent for all groups, or without `all` for what comes next. */
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
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const isJson = args.format === "json";
  const tell: Say = (text, wait) => {
    say(isJson ? JSON.stringify({ kind: "line", text, id: wait?.id, until: wait?.until }) : text);
  };
  const isGiven = args.target !== undefined || args.all || args.image !== undefined;
  const isCluster = args.target === CLUSTER && !args.all && args.image === undefined;
  const next = isCluster
    ? { groups: [], command: `rollout deploy ${CLUSTER}` }
    : isGiven
      ? wantedOf(spec, args)
      : await comingNext(env);
  const despite = despiteIn(args);
  const wanted = next && { ...next, ...(despite ? { despite } : {}) };
  if (!wanted) return { cluster: spec.name, groups: [], commit: null };
  if (!isGiven) tell(`comes next: ${wanted.command}`);
  const isOne = wanted.image === undefined && wanted.groups.length === 1;
  const [first] = wanted.groups;
  if (isOne || isCluster)
    await refuseHeld({ env, store: await openRunStore(source), clock: realClock, ...wanted }, first);
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
      if (isCluster) return [{ group: CLUSTER, ...(await deployCluster(run)) }];
      const before = await begin(wanted, run);
      if (before !== undefined) tell(`given up for this: ${before}`);
      const end = await roll(run, wanted, tell).catch(async (error: unknown) => {
        if (error instanceof NotConfirmed) await settleGoal(run.store, await readCluster(env), true);
        throw error;
      });
      if (end.kind === "blocked" && end.isGivenUp) await dropGoal(run.store);
      else await settleGoal(run.store, await readCluster(env));
      if (end.kind === "done") return end.groups;
      const rolled = end.groups.map(({ group }) => group).join(", ");
      throw new UserError(`${end.reason}; rolled: ${rolled || "none"}; next: ${end.command}`);
    },
  ).catch((error: unknown) => {
    throw error instanceof PlanRejected ? new UserError(formatCheck(error.result)) : error;
  });
  const commit = wanted.image === undefined ? null : await commitCommand(source);
  return { cluster: spec.name, groups: [...groups], commit };
}

/** The view that creates what is new. */
const CLUSTER = "cluster";

/** @throws UserError (exit code 2) where it is not clear what is to be rolled */
function wantedOf(spec: Spec, { target, all, image }: DeployArgs): Wanted {
  const groups = findTargets(spec, { target, all }, "roll");
  const words = [
    "rollout deploy",
    all ? "--all" : (target ?? ""),
    ...(image === undefined ? [] : ["--image", image]),
  ];
  return { groups, command: words.join(" "), ...(image === undefined ? {} : { image }) };
}

/** What `rollout status` says comes next; a goal where that is part of one; undefined where all is as desired. */
async function comingNext(env: Environment): Promise<Wanted | undefined> {
  const situation = await readSituation(env, realClock.now());
  const { spec, goal } = situation;
  const { phase, message, next } = phaseOf(situation);
  if (phase === "healthy") return undefined;
  const [group] = groupsOf(spec).filter(({ name }) => next === `${DEPLOY}${name}`);
  if (
    goal &&
    (next === `npx ${goal.command}` || (group?.image === goal.image && goal.groups.includes(group.name)))
  ) {
    const groups = groupsOf(spec).flatMap(({ name }) => (goal.groups.includes(name) ? [name] : []));
    return { groups, command: goal.command, image: goal.image };
  }
  if (group) return { groups: [group.name], command: `rollout deploy ${group.name}` };
  throw new UserError(`nothing is rolled: ${phase}: ${message}; next: ${next ?? "see npx rollout status"}`);
}

/** An image that is wanted is a goal, which outlives this run. @returns the command of an unreached one before it */
async function begin({ groups, command, image }: Wanted, { store, clock, env }: Run) {
  if (image === undefined) return undefined;
  const since = new Date(clock.now()).toISOString();
  const before = await setGoal(store, { command, image, groups: [...groups], by: whoRuns(), since });
  const { deployed } = await readCluster(env);
  return before && missingOf(before, deployed).length > 0 ? before.command : undefined;
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
