import { join } from "node:path";
import type { ApplyEvent } from "../clients/terraform/apply-stream.js";
import { type Applied, applyPlan } from "../clients/terraform/apply.js";
import { commandIn } from "../clients/terraform/find.js";
import { firstError, withoutSecrets } from "../clients/terraform/error.js";
import type { Step } from "../cluster/run/run-log.js";
import { meaningOf } from "../rollout/roll/meaning.js";
import { parseAddress } from "../cluster/address.js";
import { UserError } from "../cluster/user-error.js";
import { STEPPED } from "../hooks/steps.js";
import { terraformEnvironment } from "../program/terraform-environment.js";
import type { GroupSteps } from "./group-steps.js";
import type { ViewPlan } from "./plan-view.js";
import type { Run } from "./run.js";

/** How an apply of the driver's ended, and where all that Terraform said lies. */
export interface LoggedApply extends Applied {
  readonly log: string;
  /** `terraform`, or `tofu`. */
  readonly command: string;
}

/** Applies that very plan, and tells of it as it goes. What Terraform says goes into a file of the run folder. */
export async function applyView(
  run: Run,
  plan: ViewPlan,
  {
    steps,
    step,
    env = {},
  }: { readonly steps: GroupSteps; readonly step: Step; readonly env?: Readonly<Record<string, string>> },
): Promise<LoggedApply> {
  const told = new Set<string>();
  const log = applyLog(run, steps.group, step);
  const applied = await applyPlan({
    cwd: plan.folder,
    plan: plan.file,
    env: { ...terraformEnvironment(run.env), [STEPPED]: steps.group, ...env },
    log,
    onEvent: (event) => {
      const begun = meaningIn(event, step);
      // Each kind of it once a group.
      if (begun !== undefined && !told.has(begun)) steps.waits(begun);
      if (begun !== undefined) told.add(begun);
      const line = describe(event);
      if (line === undefined || (event.kind === "lasts" && told.has(line))) return;
      told.add(line);
      steps.say(line);
    },
    stop: run.stop,
  });
  return { ...applied, log, command: await commandIn(run.env) };
}

/**
 * Applies a plan that rolls no group: where it fails, the same command goes on.
 * @param next says so
 * @throws UserError with what Terraform said
 */
export async function applyAtOnce(
  run: Run,
  plan: ViewPlan,
  steps: GroupSteps,
  next = "run it again: it goes on from here",
): Promise<void> {
  const applied = await applyView(run, plan, { steps, step: "apply" });
  run.stop.throwIfAborted();
  if (applied.exitCode !== 0) throw applyFailure(run, applied, next);
}

/** Where Terraform's own log of a step lies. All batches of a group share one. */
export const applyLog = ({ folder, id }: Pick<Run, "folder" | "id">, view: string, step: Step): string =>
  join(folder, `${id}-${view}-${step}.jsonl`);

/** @param next what is to be done now, the last line of the message */
export function applyFailure(
  { env }: Pick<Run, "env">,
  { errors, texts, exitCode, log, command }: LoggedApply,
  next: string,
): UserError {
  const [first] = errors;
  const said = first
    ? [first.address, first.summary, first.detail].filter((part) => part).join(": ")
    : firstError(texts.join("\n"));
  const why = withoutSecrets(withoutWaits(said).trim() || `exit code ${String(exitCode)}`, env);
  return new UserError(`${command} apply failed: ${why}\nall that it said is in ${log}\n${next}`);
}

/** What a hook has waited for stands before why it has failed, and is over. */
const withoutWaits = (said: string): string => said.replace(/(?<=^|Output: )waiting: .*\n/gm, "");

/** Whether the state has moved since the plan was made. */
export const isStale = ({ errors }: Applied): boolean =>
  errors.some(({ summary }) => summary === "Saved plan is stale");

/** What Terraform begins to do, where that means something for a group. */
function meaningIn(event: ApplyEvent, step: Step): string | undefined {
  if (event.kind !== "started") return undefined;
  const member = parseAddress(event.address);
  const meaning = member && meaningOf(member.kind, event.action, step);
  return meaning && `${member.group}: ${meaning}`;
}

/** Seconds in which EC2 has a machine, where it has one. */
const SLOW = 60;

/** What an event of an apply is worth a line of; undefined for none. */
export function describe(event: ApplyEvent): string | undefined {
  switch (event.kind) {
    case "done":
      return `${event.address}: ${event.action} done`;
    case "failed":
      return `${event.address}: ${event.action} failed`;
    case "lasts":
      // The provider tells nobody what EC2 answers while it tries again.
      return event.seconds >= SLOW &&
        event.action === "create" &&
        parseAddress(event.address)?.kind === "host"
        ? `${event.address}: not there after ${String(SLOW)} s; where EC2 has none or throttles, the AWS provider tries again for up to an hour: wait, or end it with Ctrl-C`
        : undefined;
    case "said":
      // Terraform says first what it runs, which everybody can see in the stack.
      return event.text.startsWith("Executing: ") ? undefined : event.text;
    case "warning":
      // Of every apply of a part, as it was asked for.
      return event.summary === "Applied changes may be incomplete" ? undefined : `warning: ${event.summary}`;
    default:
      return undefined;
  }
}
