import { join } from "node:path";
import type { ApplyEvent } from "../clients/terraform/apply-stream.js";
import { applyPlan } from "../clients/terraform/apply.js";
import { makePlan } from "../clients/terraform/plan.js";
import { judgePlan } from "../guard/judge.js";
import { readPlan } from "../guard/plan/read-plan.js";
import type { Applied } from "./phases.js";
import { UserError } from "../cluster/user-error.js";
import { buildApp, type Program } from "../program/program.js";
import { withoutForeignSettings } from "./own-environment.js";

export interface DeployOptions {
  /** Where stacks are written. */
  readonly outdir: string;
  /** Asks Terraform to end, which is waited for, since it may be writing the state. */
  readonly stop: AbortSignal;
  readonly onEvent: (event: ApplyEvent) => void;
}

/**
 * Synthesizes a view, plans it, has the plan judged and applies that very plan, as `rollout plan` and Terraform would.
 * @throws UserError with what Terraform or the guard said
 */
export async function deployView(
  program: Program,
  view: string,
  { outdir, stop, onEvent }: DeployOptions,
): Promise<Applied[]> {
  buildApp({ ...program, views: [view] }, outdir, { ownResources: false }).synth();
  const cwd = join(outdir, program.spec.name, view);
  const [file, log] = [join(cwd, "plan"), join(outdir, "terraform.log")];
  const env = withoutForeignSettings(process.env);
  const json = await makePlan({ cwd, env, end: stop, ownGroup: true, stop, file });
  const plan = readPlan(new TextEncoder().encode(json));
  const verdict = judgePlan(plan, { ...program, madeWhole: true });
  if (verdict.verdict === "rejected") {
    throw new UserError(verdict.violations.map(({ rule, message }) => `${rule}: ${message}`).join("\n"));
  }
  stop.throwIfAborted();
  const events: Timed[] = [];
  const { exitCode, errors, texts } = await applyPlan({
    cwd,
    plan: file,
    env,
    log,
    stop,
    onEvent: (event) => {
      if (isTimed(event)) events.push(event);
      onEvent(event);
    },
  });
  // Whatever Terraform says of having been asked to end.
  stop.throwIfAborted();
  if (exitCode !== 0) {
    const said = errors.map(({ summary, detail }) => [summary, detail].join("\n").trim());
    throw new UserError(`terraform apply failed: ${(said.length > 0 ? said : texts).join("\n")}`);
  }
  return appliedIn(events);
}

type Timed = Extract<ApplyEvent, { at: number }>;

const isTimed = (event: ApplyEvent): event is Timed => "at" in event;

/** What began and was done, with its times from the first event on. */
export function appliedIn(events: readonly Timed[]): Applied[] {
  const origin = events[0]?.at ?? 0;
  const seconds = (at: number): number => (at - origin) / 1000;
  return events
    .filter(({ kind }) => kind === "done")
    .map(({ address, action, at }) => {
      const started = events.find(
        (event) => event.kind === "started" && event.address === address && event.action === action,
      );
      return { address, action, begins: seconds(started?.at ?? at), ends: seconds(at) };
    });
}
