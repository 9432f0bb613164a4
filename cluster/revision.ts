import * as z from "zod";
import type { Group } from "./groups.js";
import { templateOf, type Template } from "./template-hash.js";
import { VOLUME_TYPES } from "./yaml/schema.js";

// What a group's record in the state is made of, which is read as it was written.

const text = z.string().min(1);

/** All that shapes machines. */
export const template = z.object({
  image: text,
  instanceType: text,
  generation: z.int(),
  dataVolume: z.object({ sizeGib: z.int(), type: z.enum(VOLUME_TYPES) }).exactOptional(),
  rootVolume: z.object({ sizeGib: z.int() }).exactOptional(),
  instanceProfile: text.exactOptional(),
  securityGroupIds: z.array(text).readonly().exactOptional(),
  tags: z.record(text, z.string()).exactOptional(),
  userData: z.object({ file: text, sha256: text }).exactOptional(),
});

/** Who rolled a revision, when and how. Times are ISO 8601 in UTC. */
export const roll = z.object({
  /** Of the spec; `uncommitted` where it was otherwise than committed, or in no repository. */
  commit: text.exactOptional(),
  /** `rollout deploy broker-1`; absent where Terraform was called by itself. */
  command: text.exactOptional(),
  /** `user@host` */
  by: text,
  begun: z.string(),
  ended: z.string(),
  /** `at once`, `2 at a time`, `1 new first`, `by Terraform alone` */
  how: text,
});

/**
 * One entry of a group's history; numbers are never used again. What the first version of the record did not have is absent
 * from what was recorded by it.
 */
const revision = z.object({
  /** Of the record: 2. Absent in the first one. */
  version: z.int().exactOptional(),
  number: z.int(),
  image: text,
  hash: text,
  generation: z.int(),
  /** The commit, or what `ROLLOUT_CAUSE` said. */
  cause: z.string(),
  /** All that shapes its machines. */
  template: template.exactOptional(),
  hosts: z.int().exactOptional(),
  /** How it came to be, as `ready` tells once it has passed; absent or null where nobody could tell. */
  roll: roll.nullable().exactOptional(),
});

/**
 * What the revision of a group says of its create hooks: those of these hosts have ended, and so has this attempt's `ready`,
 * with this gate. Attempts are counted from 1 in their group.
 */
const completed = z.object({
  attempt: z.int().min(1),
  /** Each host's id with the attempt of its hooks, joined by commas: `i-0a1:2,i-0b2:3`. 0: they carry none. */
  hosts: z.string(),
  gate: z.string(),
  /** The numbers of the group's hosts, where they are others than 0, 1, 2 and so on. */
  numbers: z.array(z.int().min(0)).optional(),
  /** Of a Consul group: the roll, counted in the cluster, that every machine has been told of. */
  consul: z.int().min(1).optional(),
});

export const revisionRecord = z.object({ revisions: z.array(revision), completed: completed.optional() });

export type RollRecord = z.output<typeof roll>;
export type Revision = z.output<typeof revision>;
export type Completed = z.output<typeof completed>;

/** Every revision that is deployed and, where the template differs from the last one's, the next. */
export function nextRevisions(
  group: Template & Pick<Group, "hash" | "hosts">,
  deployed: readonly Revision[],
  { revisionHistoryLimit, cause }: { readonly revisionHistoryLimit: number; readonly cause: string },
): Revision[] {
  const last = deployed.at(-1);
  if (last?.hash === group.hash) return [...deployed];
  const { image, hash, generation, hosts } = group;
  const number = (last?.number ?? 0) + 1;
  const next = { version: 2, number, image, hash, generation, cause, template: templateOf(group), hosts };
  return [...deployed, next].slice(-revisionHistoryLimit);
}
