import * as z from "zod";
import type { DeployedGroup } from "../../cluster/deployed.js";
import { type Revision, roll, template } from "../../cluster/revision.js";
import { ownInWords, type Template } from "../../cluster/template-hash.js";
import { UserError } from "../../cluster/user-error.js";
import { STEPS } from "../../cluster/run/run-log.js";
import { attemptsOf, type Run } from "./read-runs.js";

const attempt = z.strictObject({
  group: z.string(),
  revision: z.int().describe("The number that it has, or that it would have got."),
  image: z.string().nullable(),
  at: z.iso.datetime().nullable().describe("When it was done; null where neither state nor log know."),
  seconds: z.number().nullable(),
  result: z
    .enum(["ok", "failed", "undone", "interrupted"])
    .nullable()
    .describe("null: as the state says, ok."),
  message: z.string().nullable(),
  cause: z.string().nullable(),
  despite: z.strictObject({ ids: z.array(z.string()), reason: z.string() }).nullable(),
  deployed: z.boolean().describe("Whether the group's history in the state has it."),
  generation: z.int().nullable(),
  hash: z.string().nullable(),
  template: template
    .nullable()
    .describe("All that shapes the machines; null where an earlier version recorded it, and for a failure."),
  hosts: z.int().nullable(),
  roll: roll.nullable().describe("Who rolled it, when and how; null where nothing of it is recorded."),
  changed: z
    .array(z.string())
    .nullable()
    .describe("What differs from the revision before; null where that is not known."),
  steps: z.array(z.strictObject({ step: z.enum(STEPS), seconds: z.number() })),
});

/** What `rollout history --format json` prints: revisions and attempts, of each group the oldest first. */
export const historySchema = z.array(attempt);

export type Attempt = z.output<typeof attempt>;

/**
 * The history of a group: revisions from the state, which has them wherever they were rolled; times and failures from the
 * log.
 */
export function historyOf(group: DeployedGroup, runs: readonly Run[]): Attempt[] {
  const ended = attemptsIn(group, runs);
  const recorded = group.revisions.map((revision, index): Attempt => {
    const { number, image, cause, generation, hash, template = null, hosts = null, roll = null } = revision;
    const own = ended.findLast((each) => isOf(each, revision));
    return {
      ...(own ?? { ...unknown, ...timesOf(roll) }),
      ...{ group: group.name, revision: number, image, cause, generation, hash, deployed: true },
      template,
      hosts,
      roll,
      changed: changedSince(group.revisions[index - 1], revision),
    };
  });
  const oldest = group.revisions[0]?.number ?? 0;
  const failures = ended.filter(
    ({ result, revision }) => result !== "ok" && result !== null && revision >= oldest,
  );
  return [...recorded, ...failures].sort(
    (one, other) => one.revision - other.revision || Number(one.deployed) - Number(other.deployed),
  );
}

/** {@link changesOf} two revisions; null where one of the two does not say all. */
const changedSince = (before: Revision | undefined, now: Revision): string[] | null =>
  before?.template && now.template
    ? changesOf({ ...before.template, hosts: before.hosts }, { ...now.template, hosts: now.hosts })
    : null;

/** `image ami-0aaa -> ami-0bbb`, each. */
export function changesOf(before: Values, now: Values): string[] {
  const [old, wanted] = [valuesOf(before), valuesOf(now)];
  return Object.entries(wanted).flatMap(([name, value]) =>
    old[name] === value ? [] : [`${name} ${old[name] ?? "none"} -> ${value ?? "none"}`],
  );
}

type Values = Template & { readonly hosts?: number | undefined };

const valuesOf = (of: Values): Readonly<Record<string, string | undefined>> => ({
  image: of.image,
  instanceType: of.instanceType,
  rootVolume: of.rootVolume && `${String(of.rootVolume.sizeGib)} GiB`,
  dataVolume: of.dataVolume && `${String(of.dataVolume.sizeGib)} GiB ${of.dataVolume.type}`,
  ...ownInWords(of),
  generation: String(of.generation),
  hosts: String(of.hosts),
});

/** Where the log does not know a roll, its record tells. */
const timesOf = (roll: Attempt["roll"]): Partial<Attempt> =>
  roll
    ? {
        at: roll.ended,
        seconds: Math.max(0, (Date.parse(roll.ended) - Date.parse(roll.begun)) / 1000),
        result: "ok",
      }
    : {};

const isOf = (attempt: Attempt, { number, image }: Revision): boolean =>
  attempt.result === "ok" && attempt.revision === number && (attempt.image ?? image) === image;

const unknown: Pick<Attempt, "at" | "seconds" | "result" | "message" | "despite" | "steps"> = {
  at: null,
  seconds: null,
  result: null,
  message: null,
  despite: null,
  steps: [],
};

const unrecorded = {
  deployed: false,
  generation: null,
  hash: null,
  template: null,
  hosts: null,
  roll: null,
  changed: null,
};

/** @param numbers those that there are, oldest first */
export function notInHistory(group: string, asked: number, numbers: readonly number[]): UserError {
  const range = numbers.length === 0 ? "" : ` (${rangeOf(numbers)})`;
  return new UserError(
    `revision ${String(asked)} is not in the history of ${group}${range}; see rollout history ${group}`,
  );
}

/** `11 to 15` */
export const rangeOf = (numbers: readonly number[]): string =>
  [...new Set([numbers[0], numbers.at(-1)])].join(" to ");

/**
 * Every end of a roll that the log has, but of those that were refused before they began. One that does not say its number
 * has that of the next success, else the one that comes next.
 */
function attemptsIn({ name, revisions }: DeployedGroup, runs: readonly Run[]): Attempt[] {
  const own = attemptsOf(runs).filter(({ group, isBegun, end }) => group === name && isBegun && end);
  const next = (revisions.at(-1)?.number ?? 0) + 1;
  return own.map(({ to, revision, cause, despite: ids, reason = "", took, end }, index) => ({
    group: name,
    revision: revision ?? own.slice(index).find((each) => isSuccess(each))?.revision ?? next,
    image: to ?? null,
    at: end?.at ?? null,
    seconds: end?.seconds ?? null,
    result: end?.result ?? null,
    message: end?.message ?? null,
    cause: cause ?? null,
    despite: ids ? { ids, reason } : null,
    ...unrecorded,
    steps: [...took],
  }));
}

const isSuccess = ({ end, revision }: ReturnType<typeof attemptsOf>[number]): boolean =>
  end?.result === "ok" && revision !== undefined;
