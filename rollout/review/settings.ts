import * as z from "zod";
import { asList } from "../../cluster/raw.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import { bake, drain, ready, steps } from "../../cluster/yaml/gate-schema.js";
import type { Spec } from "../../cluster/yaml/schema.js";

export const settingSchema = z.strictObject({
  path: z
    .string()
    .describe("`pools.broker.bake.time`; a check by its name: `pools.broker.ready.checks.answers`."),
  before: z.string().nullable().describe("null: it was not set. Of a new pool: the default."),
  after: z.string().nullable().describe("null: it is not set."),
  caution: z.boolean().describe("Whether less is protected than before, or another cluster is meant."),
});

export type Setting = z.output<typeof settingSchema>;

/** What a pool says of its groups, place by place, and a review explains group by group. */
const OF_GROUPS =
  /^pools\.[^.]+\.(images|instanceTypes|rootVolumes|instanceProfiles|securityGroupIds|tags|userData|generations|hosts|dataVolumes)$|^userData\./;

/** Every value that differs and is no group's own. A new pool is held against the defaults; one that is gone is left out. */
export function changedSettings(before: Spec, after: Spec): Setting[] {
  const pools = Object.keys(after.pools).map((name) => [name, before.pools[name] ?? DEFAULTS] as const);
  const [old, now] = [valuesOf({ ...before, pools: Object.fromEntries(pools) }), valuesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((path) => {
    const [from, to] = [old.get(path), now.get(path)];
    if (OF_GROUPS.test(path) || formatted(from) === formatted(to)) return [];
    const caution = CAUTIONS.some(([which, isWeaker]) => which.test(path) && isWeaker(from, to));
    return [{ path, before: formatted(from), after: formatted(to), caution }];
  });
}

const DEFAULTS = {
  workload: "moves",
  drain: drain.parse(undefined),
  ready: ready.parse(undefined),
  bake: bake.parse(undefined),
  steps: steps.parse(undefined),
};

/** Maps are gone into, checks are told apart by their names; any other list is one value. */
function valuesOf(value: unknown, path: readonly string[] = []): Map<string, unknown> {
  if (path.at(-1) === "checks" && Array.isArray(value))
    return new Map(value.map((check: { name: string }) => [[...path, check.name].join("."), check]));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new Map(value === undefined ? [] : [[path.join("."), value]]);
  return new Map(Object.entries(value).flatMap(([key, each]) => [...valuesOf(each, [...path, key])]));
}

const formatted = (value: unknown): string | null =>
  value === undefined
    ? null
    : typeof value === "string"
      ? value
      : JSON.stringify(value, null, 1).replace(/\n */g, " ");

/** `protection: on -> off` */
export const describeSetting = (path: string, before?: string | null, after?: string | null): string =>
  `${path}: ${before ?? "not set"} -> ${after ?? "not set"}`;

type IsWeaker = (before: unknown, after: unknown) => boolean;

const becomes =
  (value: unknown): IsWeaker =>
  (_, after) =>
    after === value;
const always: IsWeaker = () => true;
const wasThere: IsWeaker = (before) => before !== undefined;
const shorter: IsWeaker = (before, after) => seconds(after) < seconds(before);
const fewer: IsWeaker = (before, after) => amount(after) < amount(before);
const loses: IsWeaker = (before, after) => asList(before).some((each) => !asList(after).includes(each));

const seconds = (value: unknown): number => (typeof value === "string" ? durationSeconds(value) : 0);
/** Not set is as much as there is. */
const amount = (value: unknown): number => (typeof value === "number" ? value : Infinity);

/** What deserves a caution: less is protected, more goes at once, or it is another cluster that is meant. */
const CAUTIONS: readonly (readonly [RegExp, IsWeaker])[] = [
  [/^protection$/, becomes("off")],
  [/^(name|platform|backend\..*|aws\.region|aws\.vpcId|local\.agents)$/, always],
  [/^rollout\.pendingGroups$/, becomes("queue")],
  [/^rollout\.manual$/, becomes(false)],
  [/^rollout\.pauseAfter$/, loses],
  [/^rollout\.ownResources$|^aws\.imageOwners$/, (before, after) => loses(after, before)],
  [/^rollout\.revisionHistoryLimit$/, fewer],
  [/^rollout\.windows$/, wasThere],
  [/^rollout\.interval$|\.bake\.\w+$|\.drain\.deadline$|\.deregistrationDelay$/, shorter],
  [/\.drain\.onDeadline$/, becomes("accept")],
  [/\.retire$/, becomes("delete-volumes")],
  [/\.workload$/, becomes("moves")],
  [/\.maxUnavailable$/, (before, after) => fewer(after, before)],
  [/\.maxSurge$/, (before = 0, after = 0) => fewer(before, after)],
  [/\.ready\.checks\./, wasThere],
  [/\.steps\./, loses],
  [/\.loadBalancer\.internal$/, becomes(false)],
  [/\.loadBalancer\.sourceCidrs$/, (before, after) => loses(after, before)],
];
