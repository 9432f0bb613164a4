import { join } from "node:path";
import * as z from "zod";
import { makePlan, printedBy } from "../../clients/terraform-plan.js";
import { summarizePlan, type PlanSummary } from "../../rollout/plan-summary.js";
import { isNew } from "../../spec/pending.js";
import { buildApp, type Program } from "../program.js";

/** One resource that Terraform was done with. */
export interface ApplyEvent {
  readonly address: string;
  readonly action: "create" | "update" | "delete";
  /** Since the first event of its apply. */
  readonly seconds: number;
}

/** What became of a view, and how long each part took. */
export interface Deployment {
  readonly events: readonly ApplyEvent[];
  readonly seconds: Readonly<Record<"synth" | "plan" | "apply", number>>;
}

export interface DeployOptions {
  /** Where stacks are written. */
  readonly outdir: string;
  /** Asked between two commands: a command that runs is always waited for, since it may be writing the state. */
  readonly stop: AbortSignal;
  /** Called before the apply. */
  readonly onPlan: (summary: PlanSummary) => void;
}

/**
 * Synthesizes a view, plans it and applies that very plan.
 * @throws UserError with what Terraform said
 */
export async function deployView(
  program: Program,
  view: string,
  { outdir, stop, onPlan }: DeployOptions,
): Promise<Deployment> {
  const start = performance.now();
  buildApp({ ...program, views: [view] }, outdir).synth();
  const synthesized = performance.now();
  const options = { cwd: join(outdir, program.spec.name, view), env: withoutOwnSettings(), stop };
  const standing = [...program.deployed.groups.values()].filter((group) => !isNew(group));
  const json = JSON.parse(await makePlan({ ...options, file: "plan" })) as unknown;
  onPlan(
    summarizePlan(
      json,
      view,
      standing.map(({ name }) => name),
    ),
  );
  const planned = performance.now();
  const applied = await printedBy(["apply", "-input=false", "-json", "plan"], options, messagesIn);
  const events = readEvents(applied);
  const seconds = (from: number, to: number): number => (to - from) / 1000;
  return {
    events,
    seconds: {
      synth: seconds(start, synthesized),
      plan: seconds(synthesized, planned),
      apply: seconds(planned, performance.now()),
    },
  };
}

/** Settings of the person's own that would lead a run in a scratch folder elsewhere. */
function withoutOwnSettings(): Record<string, undefined> {
  const own = Object.keys(process.env).filter((name) =>
    /^TF_(CLI_ARGS|DATA_DIR|PLUGIN_CACHE_DIR|VAR_)/.test(name),
  );
  return Object.fromEntries(own.map((name) => [name, undefined]));
}

const lineSchema = z.object({
  type: z.string(),
  "@level": z.string(),
  "@message": z.string(),
  "@timestamp": z.string(),
  hook: z.looseObject({}).optional(),
});

const hookSchema = z.object({
  action: z.enum(["create", "update", "delete"]),
  resource: z.object({ addr: z.string() }),
});

/** Reads the lines of `terraform apply -json`. */
export function readEvents(stdout: string): ApplyEvent[] {
  const done = linesOf(stdout).flatMap((line) => {
    const hook = line.type === "apply_complete" ? hookSchema.safeParse(line.hook).data : undefined;
    return hook
      ? [{ address: hook.resource.addr, action: hook.action, at: Date.parse(line["@timestamp"]) }]
      : [];
  });
  const begin = done[0]?.at ?? 0;
  return done.map(({ at, ...event }) => ({ ...event, seconds: (at - begin) / 1000 }));
}

const messagesIn = (stdout: string): string =>
  linesOf(stdout)
    .filter((line) => line["@level"] === "error")
    .map((line) => line["@message"])
    .join("\n");

/** OpenTofu may print warnings in front, which are no JSON. */
function linesOf(stdout: string): z.output<typeof lineSchema>[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .flatMap((line) => lineSchema.safeParse(JSON.parse(line)).data ?? []);
}
