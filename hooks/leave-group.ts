import { type AnswerError, UnreachableError } from "../clients/http/errors.js";
import { formatFinding, type Finding } from "../rollout/preflight/finding.js";
import { nextLeave } from "../rollout/leave/next-leave.js";
import type { Observation } from "../rollout/observation/observation.js";
import { wayBack, type LeaveOrder } from "../rollout/leave/order.js";
import type { LeaveStep } from "../rollout/leave/step.js";
import { listedHosts } from "../rollout/server-lists.js";
import { isWorthWaiting, preflight, type PreflightInput } from "../rollout/preflight/preflight.js";
import type { StepList } from "../cluster/gate-settings.js";
import { UserError } from "../cluster/user-error.js";
import { carryOut } from "../live/carry-out.js";
import type { LiveCluster } from "../live/live-cluster.js";
import { isElection } from "../live/observe/ask.js";
import { withLists } from "../live/observe/server-lists.js";
import { configureWrong } from "./configure-consul.js";
import type { HookContext } from "./hook-context.js";
import { Timeline } from "./timeline.js";

export interface LeaveDeps extends Pick<HookContext, "clock" | "say" | "onCondition" | "signal"> {
  readonly cluster: LiveCluster;
  /** Where a snapshot of the servers is kept. */
  readonly snapshotFile: string;
  readonly askPool?: (observation: Observation) => Promise<readonly Finding[] | undefined>;
  /** Told before the first step that takes work away. */
  readonly onLeaving?: () => void;
  /** Tells whether that took its time, so that the cluster may be another. */
  readonly steps?: (list: StepList, seen: Observation) => Promise<boolean>;
}

/** How often a live cluster is looked at. */
const EVERY_MS = 2000;

/** What was seen longer ago than this is looked at again before the first work leaves. */
const STALE_MS = 10_000;

/**
 * Makes the work of a group leave, step by step, each decided from a new look at the cluster: a run that was cut off is
 * finished by the next. Before the first step everything that speaks against the roll is told at once, unless it is only an
 * election, which is waited for, and machines whose own list of Consul servers is wrong are configured.
 * @param cluster what else stands, for the preflight
 * @throws UserError naming what is still there when a step's deadline has come, what is refused, or what cannot be done
 */
export async function leaveGroup(
  deps: LeaveDeps,
  order: LeaveOrder,
  others: Pick<PreflightInput, "cluster" | "inFlight">,
): Promise<void> {
  const { cluster, clock, signal, snapshotFile } = deps;
  const timeline = new Timeline(order.group, clock, deps.say, deps.onCondition);
  const question = { group: order.group, role: order.role, checks: [], snapshotFile };
  const begun = clock.now();
  let [isWaiting, isAsked, isChecked] = [false, false, false];
  let running: { readonly name: string; readonly since: number } | undefined;
  let hasRested = false;
  let agentsOf: readonly string[] = [];
  let lists: Observation["lists"] = [];

  try {
    for (;;) {
      signal.throwIfAborted();
      const observation = await cluster.observe({ ...question, agentsOf, before: !isChecked });
      const next = nextLeave(observation, order);
      agentsOf = [];
      for (const note of next.notes) timeline.note(note);
      if (next.kind === "done") {
        await deps.steps?.("afterLeave", observation);
        timeline.end(isChecked ? "has left" : "nothing to do: nothing of it goes, or all of it has left");
        return;
      }
      if (!isChecked) {
        const input = { ...others, ...order };
        const listed = listedHosts(observation, others.cluster, { ...order, name: order.group });
        const seen = await withLists(cluster.agents, observation, listed, signal, lists);
        ({ lists } = seen);
        let found = preflight(seen, input);
        if (isWorthWaiting(found, clock.now() - begun)) {
          if (!isWaiting) timeline.step("preflight", `${order.group}: waiting for what passes by itself`);
          isWaiting = true;
          timeline.waits(found.refusals.map(formatFinding));
          await clock.pause(EVERY_MS, signal);
          continue;
        }
        const since = clock.now();
        const objections = isAsked ? [] : ((await deps.askPool?.(seen)) ?? []);
        if (found.refusals.length + objections.length === 0)
          found = preflight({ ...seen, lists: await configureWrong(deps, seen) }, input);
        found = { ...found, refusals: [...found.refusals, ...objections] };
        refuseUnsafe(found, "nothing has been done: no work may leave while this is so:", (line) => {
          timeline.note(line);
        });
        const hasRun =
          !isAsked && next.kind !== "blocked" && (await deps.steps?.("beforeLeave", observation)) === true;
        isAsked = true;
        // Meanwhile something else may have died: it is looked at once more.
        if (hasRun || clock.now() - since > STALE_MS) continue;
        isChecked = true;
      }
      if (next.kind === "blocked") {
        throw new UserError(`${order.group} cannot leave:\n${next.findings.map(indented).join("\n")}`);
      }
      if (next.kind === "look") {
        ({ agentsOf } = next);
        continue;
      }
      const { step } = next;
      const isNew = running?.name !== step.name;
      running = isNew || !running ? { name: step.name, since: clock.now() } : running;
      if (clock.now() - running.since > step.deadlineSeconds * 1000) throw outOfTime(step, timeline, order);
      if (isNew) timeline.step(step.name, step.message, step.deadlineSeconds);
      if (step.action === "wait") {
        timeline.waits(step.remaining);
        await clock.pause(EVERY_MS, signal);
        continue;
      }
      // What was asked for shows a moment later, so it is looked for again before it is asked for again.
      if (!isNew && !hasRested) {
        hasRested = true;
        await clock.pause(EVERY_MS, signal);
        continue;
      }
      hasRested = false;
      if (!step.action.startsWith("snapshot-")) deps.onLeaving?.();
      try {
        await carryOut(step, cluster, { snapshotFile, signal });
        if (step.action.startsWith("snapshot-"))
          timeline.note(`the snapshot is ${snapshotFile}, which goes with this computer; copy it away`);
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        timeline.waits([error.message]);
        await clock.pause(EVERY_MS, signal);
      }
    }
  } catch (error) {
    if (error instanceof UserError) throw new UserError(timeline.failure(error.message), error.exitCode);
    throw error;
  }
}

/** @throws UserError with all that speaks against a roll, below a line that says what follows from it */
export function refuseUnsafe(
  { refusals, warnings }: ReturnType<typeof preflight>,
  follows: string,
  say: (line: string) => void,
): void {
  for (const warning of warnings) say(`warning: ${formatFinding(warning)}`);
  if (refusals.length > 0) throw new UserError([follows, ...refusals.map(indented)].join("\n"));
}

const indented = (finding: Finding): string => `  ${formatFinding(finding)}`;

function outOfTime(step: LeaveStep, timeline: Timeline, order: LeaveOrder): UserError {
  const remaining = step.action === "wait" ? step.remaining : timeline.lastRemaining;
  const list = remaining.map((line) => `\n  ${line}`).join("");
  return new UserError(
    `${step.name} has not ended within ${String(step.deadlineSeconds)} s; mend what is in the way${wayBack(order)}${list}`,
  );
}

/** An agent that restarts, an election, or a leader that has just gone. Every step may be asked for again. */
const mayPass = (error: unknown): error is UnreachableError | AnswerError =>
  error instanceof UnreachableError || isElection(error);
