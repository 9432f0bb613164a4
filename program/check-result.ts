import * as z from "zod";
import { ACTIONS } from "../guard/change.js";
import { RULE_IDS } from "../guard/verdict.js";

/** What `rollout check --format json` prints, and what `rollout plan --out` writes beside its plan. */
export const checkResultSchema = z.strictObject({
  verdict: z.enum(["accepted", "rejected"]),
  view: z.string().nullable().describe("The view that the plan says it is of."),
  touched: z.array(z.string()).describe("The groups that would change, sorted."),
  others: z.array(z.string()).describe("Addresses of no group that would change: shared parts and your own."),
  own: z
    .array(z.string())
    .default([])
    .describe("The user's own resources and data sources, those that do not change included, sorted."),
  violations: z.array(
    z.strictObject({
      rule: z.enum(RULE_IDS),
      subjects: z.array(z.string()),
      message: z.string(),
      remedy: z.string(),
    }),
  ),
  changes: z.strictObject({
    machines: z.int().describe("Machines that are created, replaced, changed or destroyed."),
    byAction: z.record(z.enum(ACTIONS), z.int()),
    images: z.array(z.string()).describe("`broker-0: ami-0aaa -> ami-0bbb`, each once."),
  }),
  drift: z
    .array(z.strictObject({ address: z.string(), action: z.string() }))
    .describe("Reported, never counted."),
  differs: z
    .array(z.strictObject({ group: z.string(), keys: z.array(z.string()) }))
    .describe("Groups whose machines were made with other values of what the whole cluster shares."),
  gate: z
    .enum(["open", "closed"])
    .describe("closed: the plan rolls, and neither proves its group whole nor records a revision."),
  configuration: z
    .boolean()
    .default(false)
    .describe(
      "Whether the configuration was judged, too, which a saved plan has in it: when hooks run, overrides, locals.",
    ),
  deployed: z.string().describe("What the plan was held against."),
  rules: z.int().describe("How many rules there are."),
  plan: z.strictObject({
    sha256: z
      .string()
      .describe("Of the very file that was judged: a saved plan, or what terraform show -json printed."),
    tool: z.enum(["Terraform", "OpenTofu"]).default("Terraform").describe("What made the plan."),
    terraformVersion: z.string().describe("The version of that."),
    formatVersion: z.string(),
  }),
});

/** What `rollout check --format json` prints of an intent. */
export const intentCheckSchema = z.strictObject({
  kind: z.literal("rollout-intent"),
  verdict: z.enum(["accepted", "rejected"]).describe("Whether it may be rolled now."),
  cluster: z.string(),
  groups: z.array(z.string()).describe("Those that are still to be rolled, in order."),
  expires: z.iso.datetime(),
  departures: z.array(z.string()).describe("What is otherwise than it was approved."),
  sha256: z.string(),
});

export type IntentCheck = z.output<typeof intentCheckSchema>;

export type CheckResult = z.output<typeof checkResultSchema>;
