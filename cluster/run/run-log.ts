import * as z from "zod";

/** The steps of a group's roll, in their order. */
export const STEPS = ["preflight", "plan", "leave", "apply", "gate", "record"] as const;

export type Step = (typeof STEPS)[number];

/** One line of a cluster's log: what a run did, and when. Times are ISO 8601 in UTC. */
export const logEventSchema = z.object({
  at: z.iso.datetime(),
  /** The same in all events of one run. */
  run: z.string(),
  event: z.enum([
    "run-started",
    "group-started",
    "step-started",
    "step-ended",
    "waiting",
    "group-ended",
    "run-ended",
    "held",
    "released",
  ]),
  group: z.string().optional(),
  step: z.enum(STEPS).optional(),
  seconds: z.number().nonnegative().optional(),
  /** The group's image before and after. */
  from: z.string().optional(),
  to: z.string().optional(),
  /** The number of the group's last revision before. */
  fromRevision: z.int().positive().optional(),
  /** Of the template that the group is rolled to. */
  hash: z.string().optional(),
  revision: z.int().positive().optional(),
  cause: z.string().optional(),
  result: z.enum(["ok", "failed", "undone", "interrupted"]).optional(),
  message: z.string().optional(),
  /** `user@host` */
  by: z.string().optional(),
  reason: z.string().optional(),
  /** With its reason: what spoke against it, by id, and was overridden. */
  despite: z.array(z.string()).optional(),
  command: z.string().optional(),
});

export type LogEvent = z.output<typeof logEventSchema>;

/** What somebody overrides, by id, and why. */
export interface Despite {
  readonly ids: readonly string[];
  readonly reason: string;
}
