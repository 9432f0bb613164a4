import * as z from "zod";
import type { Deployed } from "../deployed.js";

/** An image that groups are to be given, whoever rolls them, until all of them run it. */
export const goalSchema = z.object({
  /** `rollout deploy --all --image ami-0bbb` */
  command: z.string(),
  image: z.string(),
  /** A group or a pool; absent for all groups. */
  target: z.string().optional(),
  /** The names of groups. */
  groups: z.array(z.string()),
  /** `user@host` */
  by: z.string(),
  /** ISO 8601 in UTC. */
  since: z.iso.datetime(),
});

export type Goal = z.output<typeof goalSchema>;

/** The groups that do not run the image yet. One that is gone needs none. */
export const missingOf = ({ groups, image }: Goal, { groups: deployed }: Deployed): string[] =>
  groups.filter((name) => deployed.has(name) && deployed.get(name)?.revisions.at(-1)?.image !== image);

/** `5 of 9 groups have not been given ami-0bbb` */
export function describeGoal({ groups, image }: Goal, missing: readonly string[]): string {
  const [only] = groups;
  const many = `${String(missing.length)} of ${String(groups.length)} groups ${missing.length === 1 ? "has" : "have"}`;
  return `${groups.length === 1 && only !== undefined ? `${only} has` : many} not been given ${image}`;
}
