import * as z from "zod";

/** What keeps the next group of a cluster from being rolled until somebody takes it away. */
export const holdSchema = z.object({
  kind: z.enum(["pause", "cancel"]),
  /** ISO 8601 in UTC. */
  since: z.iso.datetime(),
  /** `user@host` */
  by: z.string(),
  reason: z.string().optional(),
  /** With `cancel`: the group in flight is taken back, too. */
  undo: z.boolean().optional(),
});

export type Hold = z.output<typeof holdSchema>;
