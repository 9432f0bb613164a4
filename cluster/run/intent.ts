import * as z from "zod";
import { template } from "../revision.js";

/** What a group is made of: all that shapes its machines, and how many there are. */
const made = z.strictObject({
  hash: z.string().nullable().describe("Of the template; null where the state does not know it."),
  template: template.nullable().describe("null where an earlier version recorded none."),
  hosts: z.int(),
});

/** What is going to be done to one group. */
const groupIntent = z.strictObject({
  name: z.string(),
  base: z.int().nullable().describe("The revision that it is rolled from."),
  before: made,
  after: made,
  inPlace: z.array(z.string()).describe("What changes of its data volumes without a new machine."),
  undo: made
    .pick({ hash: true, template: true })
    .nullable()
    .describe(
      "What it goes back to where it fails (onFailure: undo) or is taken back; null: there is nothing.",
    ),
  gate: z
    .record(z.string(), z.json())
    .describe(
      "Workload, maxUnavailable and maxSurge, drain, ready with its checks, bake, steps. null: no limit.",
    ),
  files: z
    .record(z.string(), z.string())
    .describe("The SHA-256 of each file that its checks and steps name, by its name in the command."),
});

/** What somebody approves: all that a roll is going to do, before it begins. `rollout plan --intent` writes it. */
export const intentSchema = z.strictObject({
  kind: z.literal("rollout-intent"),
  version: z.literal(1),
  cluster: z.string(),
  lineage: z.string().describe("Of the state."),
  made: z.iso.datetime(),
  expires: z.iso.datetime().describe("No group begins after it; one that has begun is finished."),
  asked: z.strictObject({ target: z.string().nullable(), image: z.string().nullable() }),
  groups: z.array(groupIntent).describe("In the order in which they are rolled."),
  others: z
    .record(z.string(), z.int().nullable())
    .describe("The revision of each other group that is deployed."),
  ownResources: z
    .array(z.string())
    .max(0)
    .describe(
      "Resources of the user's own that change: none, since the view of a group leaves them as they are.",
    ),
  spec: z.string().describe("The SHA-256 of all that the spec says, as it is once the groups are rolled."),
  commit: z.string().nullable().describe("The last one of the spec's repository; null without git."),
  program: z.string().describe("The SHA-256 of this program."),
  terraform: z.strictObject({ tool: z.enum(["Terraform", "OpenTofu"]), version: z.string() }),
  providers: z.record(z.string(), z.string()).describe("Exact versions, by name."),
});

export type Intent = z.output<typeof intentSchema>;
export type GroupIntent = z.output<typeof groupIntent>;
