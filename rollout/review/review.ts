import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { parseAddress } from "../../cluster/address.js";
import type { ClusterState } from "../../cluster/cluster-state.js";
import { describeOrigin } from "../../cluster/deployed.js";
import { poolsOf, type Group } from "../../cluster/groups.js";
import { differingGroups } from "../../cluster/machine-settings.js";
import { inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import { describeLarger, groupsInPlace } from "../../cluster/in-place.js";
import { asWritten } from "../../cluster/recorded-sizes.js";
import { emptiedPools, leftoversOf } from "../../cluster/retiring.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { DEPLOY_CLUSTER } from "../roll/may-roll.js";
import { DEPLOY } from "../status/phase.js";
import { changedSettings, describeSetting, type Setting, settingSchema } from "./settings.js";
import { count, explainGroup, explanation, type Explanation } from "./explain-group.js";

const difference = z.strictObject({
  view: z.string(),
  address: z.string(),
  lines: z.array(z.string()).describe("`-` and `+` lines of what was and will be synthesized."),
});

/** What `rollout review --format json` prints. */
export const reviewSchema = z.strictObject({
  cluster: z.string(),
  verdict: z.enum(["accepted", "rejected"]),
  headline: z.string(),
  violations: z.array(z.strictObject({ rule: z.string(), message: z.string(), remedy: z.string() })),
  groups: z
    .array(explanation)
    .describe("Deployed groups that change, in the order in which they are rolled."),
  inFlight: z
    .array(z.strictObject({ name: z.string(), reasons: z.array(z.string()) }))
    .describe("Groups whose roll has begun and not ended. They come first."),
  frozen: z.array(z.string()).describe("Deployed groups that stay as they are."),
  created: z
    .array(z.strictObject({ name: z.string(), image: z.string(), machines: z.int() }))
    .describe("New groups, which come by the cluster view, in the order in which they come."),
  retired: z
    .array(
      z.strictObject({
        pool: z.string(),
        keptVolumes: z.array(z.string()).describe("Addresses of data volumes that leave the state and stay."),
        deletedVolumes: z.array(z.string()).describe("Addresses of data volumes that are deleted."),
      }),
    )
    .describe("Pools without a machine, of which all that is left goes by the cluster view."),
  gone: z.array(z.string()).describe("Deployed groups that the spec has no more."),
  shared: z
    .array(z.string())
    .nullable()
    .describe(
      "Addresses that belong to no group and differ; null where they cannot be compared: with a state.",
    ),
  own: z
    .array(z.string())
    .describe(
      "Construct paths of the user's own resources, which no review compares: it runs no code. Sorted.",
    ),
  pools: z.array(
    z.strictObject({
      name: z.string(),
      cells: z.array(
        z.strictObject({
          deployed: z.string().nullable().describe("The image."),
          desired: z.string().describe("The image."),
          change: z.string().nullable().describe("What changes; null for a group that is frozen or new."),
          state: z.enum(["frozen", "changes", "new", "retired"]),
        }),
      ),
    }),
  ),
  differences: z.array(difference),
  settings: z
    .array(settingSchema)
    .nullable()
    .describe("How groups are rolled, and all else that belongs to no group; null with a state."),
  differs: z
    .array(z.strictObject({ group: z.string(), keys: z.array(z.string()) }))
    .describe("Groups whose machines were made with other values of what the whole cluster shares."),
  changed: z.boolean().describe("Whether there is anything to be reviewed; a pipeline comments on it then."),
  next: z.string().nullable().describe("The command that comes next."),
  commits: z.strictObject({
    base: z.string().nullable(),
    head: z.string().nullable(),
    isCommitted: z.boolean().describe("Whether the spec is as it stands in head."),
  }),
  deployed: z.string().describe("What the spec was held against."),
});

export type Review = z.output<typeof reviewSchema>;
export type Difference = z.output<typeof difference>;

export interface ReviewInput extends ClusterState {
  readonly violations: Review["violations"];
  readonly own?: readonly string[];
  /** What differs in the synthesized stacks; absent where there is nothing to compare them with. */
  readonly differences?: readonly Difference[];
  /** The spec that it was before; absent where what is deployed was read from a state. */
  readonly before?: Spec;
  readonly commits?: Review["commits"];
}

/** Explains what a change of the spec is going to do, for the person who approves it. The same input gives the same review. */
export function reviewOf(input: ReviewInput): Review {
  const { spec, deployed, violations, differences, before } = input;
  const written = asWritten(spec);
  const inFlight = inFlightOf(spec, deployed).map(({ group: name, reasons }) => ({
    name,
    reasons: [...reasons],
  }));
  const rolled = new Set([...inFlight, ...pendingGroups(spec, deployed)].map(({ name }) => name));
  const moving = new Set([...rolled, ...groupsInPlace(spec, deployed).map(({ name }) => name)]);
  const emptied = new Set(emptiedPools(spec, deployed).map(({ name }) => name));
  const stateOf = ({ name, pool }: Group): Review["pools"][number]["cells"][number]["state"] =>
    moving.has(name)
      ? "changes"
      : emptied.has(pool)
        ? "retired"
        : isNew(deployed.groups.get(name))
          ? "new"
          : "frozen";
  const pools = poolsOf(spec);
  const all = pools.flatMap((pool) => pool.groups);
  const groups = [...moving].flatMap((name): Explanation[] => {
    const [group, current] = [all.find((each) => each.name === name), deployed.groups.get(name)];
    if (!group || !current) return [];
    return [explainGroup(group, current, { spec, deployed, isMoving: rolled.has(name) })];
  });
  const review = {
    cluster: spec.name,
    verdict: violations.length === 0 ? ("accepted" as const) : ("rejected" as const),
    violations: [...violations],
    groups,
    inFlight,
    frozen: all.filter((group) => stateOf(group) === "frozen").map(({ name }) => name),
    created: all
      .filter((group) => stateOf(group) === "new")
      .map(({ name, image, hosts }) => ({ name, image, machines: hosts })),
    retired: leftoversOf(spec, deployed).map(({ pool, retire, volumes }) => ({
      pool,
      keptVolumes: retire === "keep-volumes" ? [...volumes] : [],
      deletedVolumes: retire === "delete-volumes" ? [...volumes] : [],
    })),
    gone: [...deployed.groups.keys()].filter((name) => !all.some((group) => group.name === name)).sort(),
    shared: differences ? sharedOf(differences) : null,
    own: [...(input.own ?? [])],
    pools: pools.map((pool) => ({
      name: pool.name,
      cells: pool.groups.map((group) => ({
        deployed: deployed.groups.get(group.name)?.revisions.at(-1)?.image ?? null,
        desired: group.image,
        change: groups.find(({ name }) => name === group.name)?.change ?? null,
        state: stateOf(group),
      })),
    })),
    differences: [...(differences ?? [])],
    settings: before ? changedSettings(before, written) : null,
    differs: differingGroups(spec, deployed),
    commits: input.commits ?? { base: null, head: null, isCommitted: false },
    deployed: `${describeOrigin(deployed.origin)}${deployed.origin.kind === "spec" ? fromZeroIn(all) : ""}`,
  };
  const larger = all.flatMap((group) => {
    const current = moving.has(group.name) ? undefined : deployed.groups.get(group.name);
    const said = current && describeLarger(group, current);
    return said === undefined ? [] : [`${group.name}: ${said}`];
  });
  const what = changesOf(review);
  return {
    ...review,
    headline: `${verdictOf(review)}, ${[what.length > 0 ? what.join("; ") : "no group changes", ...larger].join("; ")}`,
    changed:
      what.length + violations.length > 0 || (before !== undefined && !isDeepStrictEqual(before, written)),
    next: spec.protection === "off" && groups.length > 0 ? null : nextOf(review),
  };
}

/** Only a state tells which numbers stand, and a roll by `maxSurge` leaves others than 0, 1, 2 and so on. */
function fromZeroIn(groups: readonly Group[]): string {
  const pools = [...new Set(groups.flatMap(({ pool, surges }) => (surges ? pool : [])))];
  const has = pools.length === 1 ? "has" : "have";
  return pools.length === 0
    ? ""
    : `; machines are counted from 0, and others may stand where ${pools.join(", ")} ${has} maxSurge`;
}

type Facts = Omit<Review, "headline" | "changed" | "next">;

/** Where the state lies somewhere else, or is another's, no command is the next one. */
function nextOf({ violations, settings, groups, created, retired, shared }: Facts): string | null {
  const isMoved = settings?.some(({ path }) => /^(name|platform|backend\..*)$/.test(path)) === true;
  if (violations.length > 0 || isMoved) return null;
  const [first] = groups;
  if (first) return `${DEPLOY}${first.name}`;
  return created.length + retired.length + (shared?.length ?? 0) > 0 ? DEPLOY_CLUSTER : null;
}

const sharedOf = (differences: readonly Difference[]): string[] => [
  ...new Set(differences.filter(({ address }) => !parseAddress(address)).map(({ address }) => address)),
];

/** More names than this are in the way of the verdict; they stand below it. */
const MOST_NAMES = 6;

function verdictOf({ violations }: Facts): string {
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(", ");
  return violations.length === 0 ? "accepted" : `rejected (${rules})`;
}

/** What changes, the most telling first. */
function changesOf(review: Facts): string[] {
  const { groups, inFlight, created, retired, gone, shared, settings, violations } = review;
  const deletedVolumes = retired.flatMap((pool) => pool.deletedVolumes);
  const machines = created.reduce((sum, group) => sum + group.machines, 0);
  return [
    ...(groups.length > 0
      ? [`${changes(groups.length, violations.length > 0)}: ${named(groups)}${machinesOf(groups)}`]
      : []),
    ...(inFlight.length > 0 ? [`${count(inFlight.length, "group")} in flight`] : []),
    ...(created.length > 0 ? [`${count(created.length, "new group")}, ${count(machines, "machine")}`] : []),
    ...(retired.length > 0 ? [`${count(retired.length, "pool")} retired`] : []),
    ...(deletedVolumes.length > 0 ? [`${count(deletedVolumes.length, "data volume")} DELETED`] : []),
    ...(gone.length > 0 ? [`${count(gone.length, "group")} gone from the spec`] : []),
    ...(shared?.length
      ? [`${count(shared.length, "shared part")} ${shared.length === 1 ? "differs" : "differ"}`]
      : []),
    ...(settings?.length
      ? [`${count(settings.length, "setting")} ${settings.length === 1 ? "changes" : "change"}`]
      : []),
    ...cautionsOf(settings ?? []),
  ];
}

/** What concerns the whole cluster comes first; a long value stands below. */
function cautionsOf(settings: readonly Setting[]): string[] {
  const depth = ({ path }: Setting): number => path.split(".").length;
  const told = settings.filter(({ caution }) => caution).sort((a, b) => depth(a) - depth(b));
  const more = told.length > MOST_NAMES ? ` and ${String(told.length - MOST_NAMES)} more` : "";
  const names = told.slice(0, MOST_NAMES).map(({ path, before, after }) => {
    const text = describeSetting(path, before, after);
    return text.length > 80 ? path : text;
  });
  return told.length > 0 ? [`CAUTION: ${names.join(", ")}${more}`] : [];
}

function named(groups: Review["groups"]): string {
  if (groups.length > MOST_NAMES) return "";
  return `${groups.map(({ name, change }) => `${name} (${change})`).join(", ")}, `;
}

/** `3 machines replaced, 1 created` */
function machinesOf(groups: Review["groups"]): string {
  const sums = (["replaced", "created", "destroyed"] as const).map((done) => ({
    done,
    sum: groups.reduce((sum, { machines }) => sum + machines[done], 0),
  }));
  const [first, ...rest] = sums.filter(({ sum }) => sum > 0);
  if (!first) return "no machine touched";
  return [
    `${count(first.sum, "machine")} ${first.done}`,
    ...rest.map(({ done, sum }) => `${String(sum)} ${done}`),
  ].join(", ");
}

function changes(groups: number, isRejected: boolean): string {
  if (isRejected) return `${count(groups, "group")} would change`;
  return groups === 1 ? "one group changes" : `${String(groups)} groups change, one after another`;
}
