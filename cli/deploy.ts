import { resolve } from "node:path";
import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { isUntouched, setGoal, settleGoal } from "../clients/run-store/goal.js";
import { readHold } from "../clients/run-store/hold.js";
import { whoRuns } from "../clients/who-runs.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { unfinishedNames } from "../rollout/roll/may-roll.js";
import { DEPLOY, phaseOf } from "../rollout/status/phase.js";
import type { Intent } from "../cluster/run/intent.js";
import { groupsOf } from "../cluster/groups.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { answerTo, type Dialogue } from "./ask.js";
import { approvedIn, Departed } from "../driver/approved.js";
import { confirmAll, confirmBy, NotConfirmed, refuseUnasked } from "../driver/confirm.js";
import { groupResultSchema } from "../driver/deploy-result.js";
import { jsonProgress, plainProgress } from "./output/progress.js";
import { deployCluster } from "../driver/deploy-cluster.js";
import { PlanRejected } from "../driver/plan-view.js";
import { roll } from "../driver/roll.js";
import type { RollDeps } from "../driver/roll-groups.js";
import { inRun } from "../driver/run.js";
import { formatCheck } from "./output/check.js";
import { formatQuestion } from "./output/plan.js";
import { formatWholeRoll } from "./output/whole-roll.js";
import { terminalProgress } from "./output/terminal-progress.js";
import { realClock } from "../clients/clock.js";
import { commitCommand } from "../program/commits.js";
import { refuseHeld } from "../program/held.js";
import { readCluster } from "../program/read-deployed.js";
import { elementOf, refuseUneditable } from "../program/edit-spec.js";
import { pinSpec, readSpec, specPath } from "../program/read-spec.js";
import { refreshDesired } from "../program/run-program.js";
import { readSituation } from "../program/situation.js";
import { inPlace, isWatched } from "./output/tasks.js";
import { readIntent } from "./check-intent.js";
import { readApproved } from "./check.js";
import { intentCommand, readWholeRoll, wantedOf, type Asked } from "./whole-roll.js";
import { despiteIn, type DespiteOptions } from "./verb.js";

/** What `rollout deploy --format json` prints. */
export const deployResultSchema = z.strictObject({
  cluster: z.string(),
  groups: z.array(z.object({ group: z.string() }).and(groupResultSchema)),
  commit: z.string().nullable().describe("What commits the spec, where --image has edited it."),
});

export type DeployResult = z.output<typeof deployResultSchema>;

/** Without `target` and `all`: what comes next. */
export interface DeployArgs extends Asked, DespiteOptions {
  /** The file of what is to be rolled, with {@link sha256} in place of target, `all` and image. */
  readonly intent?: string;
  /** The SHA-256 of the intent that was approved, byte for byte. */
  readonly sha256?: string;
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
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const isJson = args.format === "json";
  const tell: RollDeps["say"] = (text, wait) => {
    say(isJson ? JSON.stringify({ kind: "line", text, id: wait?.id, until: wait?.until }) : text);
  };
  const ofProgram = { file: specPath(given), isExample: false };
  if (args.image !== undefined) refuseUneditable(ofProgram, elementOf("images", args.target));
  await refreshDesired(given, tell);
  const source = readSpec(given);
  const { spec } = source;
  const env = pinSpec(given, source);
  const intent = approvedIntent(args);
  const approved = intent && approvedIn(intent, env, realClock.now);
  const left = await approved?.prove();
  const isGiven = args.target !== undefined || args.all || args.image !== undefined;
  const isCluster = args.target === CLUSTER && !args.all && args.image === undefined;
  const asked = intent ? askedIn(intent) : isGiven ? args : await comingNext(env);
  if (!asked) return { cluster: spec.name, groups: [], commit: null };
  const despite = despiteIn(args);
  const wanted: Wanted = {
    ...(isCluster ? { groups: [], command: `rollout deploy ${CLUSTER}` } : wantedOf(spec, asked)),
    ...(intent
      ? { groups: intent.groups.map(({ name }) => name), command: commandOf(args), isApproved: true }
      : {}),
    ...(despite ? { despite } : {}),
  };
  if (!isGiven && !intent) tell(`comes next: ${wanted.command}`);
  const isOne = wanted.image === undefined && wanted.groups.length === 1;
  const [first] = wanted.groups;
  if (isOne || isCluster) await refuseHeld({ env, ...wanted }, first);
  const answers = {
    yes: args.yes,
    confirmed: args.confirm,
    ask: dialogue.input.isTTY ? (question: string) => answerTo(question, dialogue) : undefined,
  };
  // Whoever approved an intent has said yes to all of it.
  const asOne: ConfirmedRoll = intent
    ? { groups: wanted.groups }
    : isOne || isCluster
      ? { groups: [] }
      : await askedAtOnce(env, wanted, answers, isJson ? undefined : say);
  const ask = confirmBy({
    ...answers,
    confirmed: [...args.confirm, ...asOne.groups],
    show: (question) => {
      if (!isJson) say(formatQuestion(question));
    },
  });
  const confirm: typeof ask = async (question) => {
    await ask(question);
    await approved?.prove(question.group);
  };
  const drawn = { draw: inPlace, write: say, now: realClock.now };
  const progress = isJson ? jsonProgress(say) : isWatched() ? terminalProgress(drawn) : plainProgress(say);
  const { command } = wanted;
  // Whoever finishes what is in flight goes on from a run that is gone.
  const mayFollow = async (): Promise<boolean> => {
    const open = unfinishedNames(await readSituation(env, realClock.now()));
    return open.some((group) => wanted.groups.includes(group));
  };
  const groups = await inRun(
    { env, clock: realClock, progress, confirm, command, mayFollow, approved },
    async (run) => {
      if (isCluster) return [{ group: CLUSTER, ...(await deployCluster(run)) }];
      const { image, groups } = wanted;
      const since = new Date(realClock.now()).toISOString();
      const mine = { command, groups: [...groups], target: asked.target, by: whoRuns(), since };
      const goal = image === undefined ? undefined : { ...mine, image };
      const was = goal && (await setGoal(run.store, goal));
      if (was && was.command !== command) tell(`given up for this: ${was.command}`);
      const { store } = run;
      const isCancelled = async (): Promise<boolean> =>
        (await readHold(store, Date.now()))?.kind === "cancel";
      const isRolled = left?.length === 0;
      const rolling = isRolled
        ? Promise.resolve({ kind: "done" as const, groups: [] })
        : roll(run, wanted, tell, asOne.spec);
      const end = await rolling.catch(async (error: unknown) => {
        const giveUp = async (): Promise<void> => {
          if (await isCancelled()) await setGoal(store, undefined);
          // Who says no at the first question has set no goal either.
          else if (
            goal &&
            (error instanceof NotConfirmed || error instanceof Departed) &&
            isUntouched(goal, await readCluster(env))
          )
            await setGoal(store, was);
        };
        // Why it failed is said even where nothing more can be written.
        await giveUp().catch(() => undefined);
        throw error;
      });
      const isGivenUp = end.kind === "blocked" && end.isGivenUp;
      if (isGivenUp || (await isCancelled())) await setGoal(store, undefined);
      else await settleGoal(store, await readCluster(env));
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

/** @throws UserError with exit code 2 where it is not said which intent was approved, with 1 where it is another */
function approvedIntent(args: DeployArgs): Intent | undefined {
  const { intent: file, sha256: hash, target, all, image } = args;
  if ((file === undefined) !== (hash === undefined))
    throw new UserError(
      "--intent names what is rolled and --sha256 what was approved; give both, or neither",
      2,
    );
  if (file === undefined || hash === undefined) return undefined;
  if (target !== undefined || all || image !== undefined)
    throw new UserError(
      "an intent says what is rolled: give neither a target nor --all or --image with --intent",
      2,
    );
  return readIntent(readApproved(file, hash), file);
}

/** Whoever goes on with it may stand in another folder. */
const commandOf = ({ intent = "", sha256 = "" }: DeployArgs): string =>
  intentCommand(resolve(intent), sha256);

const askedIn = ({ asked: { target, image } }: Intent): Asked => ({
  ...{ target: target ?? undefined, all: target === null, image: image ?? undefined },
});

/** The view that creates what is new. */
const CLUSTER = "cluster";

/**
 * Shows a roll of several groups and asks once for all; of a single one its own plan is the question, which comes later.
 * @returns the groups that are confirmed by that, and the spec that was shown
 * @throws UserError where the answer is no, or (exit code 2) where nobody can be asked for one that is going to begin
 */
async function askedAtOnce(
  env: Environment,
  wanted: Wanted,
  answers: Parameters<typeof confirmAll>[2],
  say: ((line: string) => void) | undefined,
): Promise<ConfirmedRoll> {
  const { roll, spec } = await readWholeRoll(env, wanted, realClock.now());
  // One that has begun may need no more than its gate, and asks for itself.
  const groups = roll.groups.flatMap(({ name: group, role, begun }) => (begun ? [] : [{ group, role }]));
  // Of what is refused nobody is asked: the roll itself says why.
  const isRefused = roll.refused.length > 0;
  if (wanted.image !== undefined || !isRefused) refuseUnasked(groups, answers);
  if (roll.groups.length < 2) return { groups: [] };
  say?.(`${formatWholeRoll(roll)}\n`);
  if (isRefused) return { groups: [] };
  await confirmAll(groups, roll.cluster, answers);
  return { groups: groups.map(({ group }) => group), spec };
}

/** What a roll of several groups is confirmed by: names alone would be rolled by any later spec. */
interface ConfirmedRoll {
  readonly groups: readonly string[];
  readonly spec?: Spec;
}

/** What `rollout status` says comes next, or the goal that it is part of; undefined where all is as desired. */
async function comingNext(env: Environment): Promise<Asked | undefined> {
  const situation = await readSituation(env, realClock.now());
  const { spec, goal } = situation;
  const { phase, message, next } = phaseOf(situation);
  if (phase === "healthy") return undefined;
  const group = groupsOf(spec).find(({ name }) => next === `${DEPLOY}${name}`);
  const isOfGoal = group?.image === goal?.image && goal?.groups.includes(group?.name ?? "");
  if (goal && (isOfGoal || next === `npx ${goal.command}`))
    return { target: goal.target, all: goal.target === undefined, image: goal.image };
  if (group) return { target: group.name, all: false };
  throw new UserError(`nothing is rolled: ${phase}: ${message}; next: ${next ?? "see npx rollout status"}`);
}
