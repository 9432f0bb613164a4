import * as z from "zod";

/** What keeps the next group of a cluster from being rolled until somebody takes it away. */
export const holdSchema = z.object({
  kind: z.enum(["pause", "cancel"]),
  /** ISO 8601 in UTC. */
  since: z.iso.datetime(),
  /** `user@host` */
  by: z.string(),
  reason: z.string().optional(),
  /** When it ends by itself. ISO 8601 in UTC; absent where somebody has to take it away. */
  until: z.iso.datetime().optional(),
  /** With `cancel`: the group in flight is taken back, too. */
  undo: z.boolean().optional(),
});

export type Hold = z.output<typeof holdSchema>;

/** What of a hold still holds. @param at milliseconds since 1970 */
export const holding = (hold: Hold | undefined, at: number): Hold | undefined =>
  hold?.until !== undefined && Date.parse(hold.until) <= at ? undefined : hold;
