import * as z from "zod";

const seconds = z.number().min(0).describe("Seconds of this machine's clock.");

const tally = {
  tried: z.int().describe("What was asked, each once however often it was tried."),
  failed: z.int().describe("What was given up after all tries."),
  triedAgain: z.int().describe("What did not succeed the first time."),
  longest: seconds.describe("The longest that one took, its tries included."),
  firstError: z.string().nullable(),
};

/** What `rollout rehearse --format json` prints. */
export const rehearsalSchema = z.strictObject({
  verdict: z
    .enum(["passed", "failed"])
    .describe("passed: nothing failed, no write was lost, no work was moved twice."),
  cluster: z.string(),
  agents: z.enum(["simulated", "real"]),
  speed: z.number().describe("How many times as fast as real time the cluster lived; 1 with real agents."),
  machines: z.int(),
  terraform: z.string(),
  leftOut: z.array(z.string()).describe("What is other than in the spec."),
  seconds,
  steps: z.array(
    z.strictObject({
      step: z.enum(["create", "roll", "refuse"]),
      group: z.string().nullable(),
      change: z.string().nullable().describe("`ami-0aaa -> ami-0bbb`"),
      machines: z.array(z.string()).describe("The machines that were created or replaced."),
      seconds,
      phases: z
        .array(z.strictObject({ what: z.string(), count: z.int(), begins: seconds, ends: seconds }))
        .describe("What was done, in order, from the beginning of the step."),
      refusal: z.string().nullable(),
      problems: z.array(z.string()).describe("What was not as it should be."),
    }),
  ),
  load: z.strictObject({
    writes: z.strictObject({
      ...tally,
      acknowledged: z.int(),
      lost: z.array(z.string()).describe("Keys whose acknowledged value was not there at the end."),
    }),
    reads: z.strictObject(tally),
    requests: z.strictObject(tally).nullable().describe("null where no pool runs work."),
  }),
  kept: z
    .strictObject({
      folder: z.string(),
      consul: z.string().describe("Base URLs of the Consul servers, between commas."),
      nomad: z.string(),
    })
    .nullable()
    .describe("What --keep has left; null: everything is removed."),
  work: z.strictObject({
    moved: z.int().describe("Allocations that took the place of another."),
    movedTwice: z.array(z.string()),
  }),
});

export type Rehearsal = z.output<typeof rehearsalSchema>;
export type RehearsalStep = Rehearsal["steps"][number];
export type Phase = RehearsalStep["phases"][number];

/** What speaks against a rehearsal, a sentence each; empty when it passed. */
export function faultsOf({ steps, load, work }: Pick<Rehearsal, "steps" | "load" | "work">): string[] {
  const { writes, reads, requests } = load;
  const failures = { writes: writes.failed, reads: reads.failed, requests: requests?.failed ?? 0 };
  return [
    ...steps.flatMap(({ step, group, problems }) =>
      problems.map((problem) => `${group === null ? step : `${step} ${group}`}: ${problem}`),
    ),
    ...Object.entries(failures).flatMap(([what, count]) =>
      count > 0 ? [`${what} that failed: ${String(count)}`] : [],
    ),
    ...(writes.tried === 0 ? ["nothing was written"] : []),
    ...(requests?.tried === 0 ? ["nothing was requested"] : []),
    ...(writes.lost.length > 0 ? [`acknowledged writes that were lost: ${String(writes.lost.length)}`] : []),
    ...(work.movedTwice.length > 0 ? [`work that was moved twice: ${String(work.movedTwice.length)}`] : []),
  ];
}
