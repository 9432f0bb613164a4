import * as z from "zod";
import type { ClusterState } from "../../cluster/cluster-state.js";
import { describeOrigin, isForReview, type Deployed, type DeployedGroup } from "../../cluster/deployed.js";
import { gateSettingsOf, undosOf } from "../../cluster/gate-settings.js";
import { groupsOf, poolsOf, type Group } from "../../cluster/groups.js";
import { differingGroups } from "../../cluster/machine-settings.js";
import { describeInPlace, describeLarger, groupsInPlace } from "../../cluster/in-place.js";
import { deployedHosts, describePending, inFlightOf, isNew, pendingGroups } from "../../cluster/pending.js";
import { emptiedPools, leftoversOf } from "../../cluster/retiring.js";
import { goalSchema, missingOf } from "../../cluster/run/goal.js";
import { holdSchema } from "../../cluster/run/hold.js";
import { among, BEGUN, DEPLOY_CLUSTER, mayRoll, PACE, unfinished } from "../roll/may-roll.js";
import { withLaterWindow } from "../roll/later-window.js";
import { atHand, begunIn, DEPLOY, PHASES, phaseOf } from "./phase.js";
import { attemptsOf, readRuns, type Run } from "../log/read-runs.js";
import { outOf, rollFacts } from "../log/roll-facts.js";
import { lastRun, lastRunSchema } from "../log/last-run.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import type { Situation } from "./situation.js";

/** What a group is: as desired, to be changed in place, waiting for its roll, being rolled, waiting behind another, not there yet, or left for good. */
const GROUP_STATES = ["current", "differs", "pending", "in flight", "frozen", "new", "retired"] as const;

/** What `rollout status --format json` prints. */
export const statusSchema = z.strictObject({
  at: z.iso.datetime().describe("When this was so."),
  cluster: z.string(),
  phase: z.enum(PHASES).describe("The first of these that is so."),
  message: z.string().describe("What the phase means here."),
  platform: z.enum(["aws", "local"]),
  protection: z.enum(["on", "off"]).describe("off: a teardown, nothing is rolled."),
  deployed: z.strictObject({
    origin: z.string().describe("Where it was read."),
    forReview: z.boolean().describe("Whether it was taken from somewhere else than the state."),
    empty: z.boolean().describe("Whether nothing is deployed; a mistyped backend looks the same."),
  }),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      pool: z.string(),
      index: z.int().min(0).max(2),
      state: z.enum(GROUP_STATES),
      image: z.strictObject({ deployed: z.string().nullable(), desired: z.string() }),
      hosts: z.strictObject({ deployed: z.int(), desired: z.int() }),
      revision: z.int().nullable(),
      reason: z
        .string()
        .nullable()
        .describe("What differs, why the group is in flight, or what is larger than the spec says."),
      differs: z
        .array(z.string())
        .describe("Keys of the whole cluster that reach its machines when it is rolled, such as keyName."),
    }),
  ),
  run: z
    .strictObject({
      command: z.string(),
      by: z.string(),
      pid: z.int().nullable().describe("null: Terraform alone applies, as the state's lock says."),
      since: z.iso.datetime(),
      group: z.string().nullable().describe("The one at hand; null between two."),
    })
    .nullable()
    .describe("The run that is under way, as its lock says."),
  lastRun: lastRunSchema.nullable().describe("How far the last run in the log has come."),
  hold: holdSchema.nullable().describe("What keeps the next group from being rolled."),
  goal: goalSchema
    .extend({ missing: z.array(z.string()).describe("The groups that do not run its image yet.") })
    .strict()
    .nullable()
    .describe("What is to be rolled until it is reached, cancelled or replaced."),
  waits: z
    .array(
      z.strictObject({
        group: z.string(),
        id: z.enum(PACE),
        reason: z.string(),
        until: z.iso
          .datetime()
          .nullable()
          .describe("null: until somebody says `rollout resume` to the roll that waits."),
      }),
    )
    .describe(
      "What keeps groups that are to be rolled or changed in place from being begun, by the pace of the rollout: now, and by a window that is closed once the rest has passed.",
    ),
  owed: z
    .array(z.strictObject({ group: z.string(), step: z.string(), hasLeft: z.boolean() }))
    .describe(
      "Steps whose undo is owed, such as `step silence (beforeLeave)`, and whether it has left the spec.",
    ),
  checks: z
    .array(
      z.strictObject({
        pool: z.string(),
        group: z.string().nullable().describe("null: the log has no group whose gate they have passed."),
        at: z.iso.datetime().nullable(),
        answers: z.string().nullable(),
      }),
    )
    .describe("What the own checks of pools answered at the gate that was passed last."),
  leftovers: z
    .array(
      z.strictObject({
        pool: z.string(),
        volumes: z.enum(["keep-volumes", "delete-volumes"]),
        addresses: z
          .int()
          .describe("How many resources are still in the state; 0: the pool may leave the spec."),
      }),
    )
    .describe("Pools that have retired, group by group. What is left of them goes by the cluster view."),
  views: z.array(z.string()).describe("The stacks that can be deployed now."),
  next: z.string().nullable().describe("The command that comes next."),
  nextCommand: z.array(z.string()).nullable().describe("The same as a list of arguments."),
  nextView: z.string().nullable().describe("The stack that it deploys; null where it is no deploy."),
  refused: z
    .array(z.strictObject({ rule: z.string(), message: z.string(), remedy: z.string() }))
    .describe("Why the deploy that would come next is refused, and what comes first; next is null then."),
  undo: z.string().nullable().describe("The command that takes a group that failed back instead."),
  uncommitted: z
    .array(z.string())
    .describe("Groups that run what the spec says and its last commit does not: it is to be committed."),
});

export type Status = z.output<typeof statusSchema>;
export type GroupStatus = Status["groups"][number];

/** Why the view of a group would be refused, as far as the state tells: the guard's own words. */
export type RefusalsOf = (
  group: string,
) => readonly { readonly rule: string; readonly message: string; readonly remedy: string }[];

/**
 * What a cluster is and where each of its groups stands.
 * @param only a group whose phase is asked for instead of the cluster's
 * @param refusalsOf asked for the group that would be deployed next
 */
export function statusOf(
  situation: Situation,
  views: readonly string[],
  only?: string,
  refusalsOf: RefusalsOf = () => [],
): Status {
  const { spec, deployed, run, hold, goal, owed = [] } = situation;
  const undos = owed.map(({ group, step }) => ({ group, step, hasLeft: !undosOf(group, spec).has(step) }));
  const runs = readRuns(situation.events);
  const { phase, message, next, undo = null } = phaseOf(situation, only);
  const group = groupsOf(spec).find(({ name }) => next === `${DEPLOY}${name}`)?.name ?? null;
  const missing = goal ? missingOf(goal, deployed) : [];
  const { command = "", by = "", pid = null, since = "" } = run ?? {};
  const refused = group === null ? [] : refusalsOf(group);
  const nextView = next === DEPLOY_CLUSTER ? "cluster" : group;
  return {
    at: new Date(situation.at).toISOString(),
    cluster: spec.name,
    phase,
    message,
    platform: spec.platform,
    protection: spec.protection,
    deployed: {
      origin: describeOrigin(deployed.origin),
      forReview: isForReview(deployed.origin),
      empty: deployed.addresses.size === 0,
    },
    groups: groupStates(situation, views, begunIn(situation, outOf(runs, deployed))),
    checks: lastChecks(spec, runs),
    leftovers: describeLeftovers(spec, deployed),
    run: run ? { command, by, pid, since, group: atHand(run, runs.at(-1)) ?? null } : null,
    lastRun: lastRun(runs),
    hold: hold ?? null,
    goal: goal && missing.length > 0 ? { ...goal, missing } : null,
    waits: waitsIn(situation, runs, missing),
    owed: [...new Map(undos.map((one) => [`${one.group} ${one.step}`, one])).values()],
    views: [...views],
    next: refused.length === 0 ? next : null,
    nextCommand: refused.length === 0 ? (next?.split(" ") ?? null) : null,
    nextView: refused.length === 0 ? nextView : null,
    refused: refused.map(({ rule, message, remedy }) => ({ rule, message, remedy })),
    undo,
    uncommitted: [...(situation.uncommitted ?? [])],
  };
}

/** @param missing the groups that a goal still asks for */
function waitsIn(situation: Situation, runs: readonly Run[], missing: readonly string[]): Status["waits"] {
  const { spec, deployed } = situation;
  if (spec.protection === "off") return [];
  const facts = rollFacts(runs, situation.deployed);
  const begun = unfinished(situation, facts).map(({ group }) => group);
  const differing = [...pendingGroups(spec, deployed), ...groupsInPlace(spec, deployed)];
  const due = new Set([...differing.map(({ name }) => name), ...missing]);
  // What has begun is finished, whatever holds.
  return [...due]
    .filter((group) => !begun.includes(group))
    .flatMap((group) => {
      const pace = among(mayRoll(situation, [group], { ...situation, facts }), ...PACE);
      const reasons = withLaterWindow(pace, spec, situation.at);
      return PACE.flatMap((id) =>
        among(reasons, id).map(({ text: reason, until }) => ({
          ...{ group, id, reason },
          until: until === undefined ? null : new Date(until).toISOString(),
        })),
      );
    });
}

function lastChecks(spec: Spec, runs: readonly Run[]): Status["checks"] {
  const attempts = attemptsOf(runs);
  return poolsOf(spec).flatMap(({ name: pool, groups }) => {
    if (gateSettingsOf(pool, spec).ready.checks.length === 0) return [];
    const own = attempts.filter(({ group }) => groups.some(({ name }) => name === group));
    const { group = null, checks } = own.findLast((each) => each.checks !== undefined) ?? {};
    return [{ pool, group, at: checks?.at ?? null, answers: checks?.answers ?? null }];
  });
}

/** @param begun the groups whose work has begun to leave */
function groupStates(
  { spec, deployed }: ClusterState,
  views: readonly string[],
  begun: readonly string[],
): GroupStatus[] {
  const inFlight = new Map<string, readonly string[]>([
    ...begun.map((group) => [group, [BEGUN]] as const),
    ...inFlightOf(spec, deployed).map(({ group, reasons }) => [group, reasons] as const),
  ]);
  const pending = new Set(pendingGroups(spec, deployed).map(({ name }) => name));
  const inPlace = new Set(groupsInPlace(spec, deployed).map(({ name }) => name));
  const differs = new Map(differingGroups(spec, deployed).map(({ group, keys }) => [group, keys]));
  return groupsOf(spec).map((group): GroupStatus => {
    const current = deployed.groups.get(group.name);
    const reasons = inFlight.get(group.name);
    const waits = pending.has(group.name);
    const state = isNew(current)
      ? group.retires && !current?.hosts.length
        ? "retired"
        : "new"
      : reasons
        ? "in flight"
        : waits
          ? views.includes(group.name)
            ? "pending"
            : "frozen"
          : group.retires
            ? "retired"
            : inPlace.has(group.name)
              ? "differs"
              : "current";
    return {
      name: group.name,
      pool: group.pool,
      index: group.index,
      state,
      image: { deployed: (current && deployedImage(current)) ?? null, desired: group.image },
      hosts: { deployed: current ? deployedHosts(current) : 0, desired: group.hosts },
      revision: current?.revisions.at(-1)?.number ?? null,
      reason:
        current && reasons
          ? [
              ...progress(group, current),
              ...reasons,
              ...(inPlace.has(group.name) ? [describeInPlace(group, current)] : []),
            ].join(", ")
          : waits && current
            ? describePending(group, current)
            : current && inPlace.has(group.name)
              ? describeInPlace(group, current)
              : current && state === "current"
                ? (describeLarger(group, current) ?? null)
                : null,
      differs: differs.get(group.name) ?? [],
    };
  });
}

/** What the machines run; of machines that run several, what the last revision says. */
function deployedImage({ hosts, revisions }: DeployedGroup): string | undefined {
  const [first] = hosts;
  const last = revisions.at(-1)?.image;
  return first && hosts.every(({ image }) => image === first.image) ? first.image : (last ?? first?.image);
}

/** How far a group has come whose machines are of several templates: `1 of 3 machines is of the desired template`. */
function progress({ hash, hosts }: Group, current: DeployedGroup): string[] {
  const done = current.hosts.filter((host) => host.hash === hash).length;
  return done === 0 || done === current.hosts.length
    ? []
    : [`${String(done)} of ${String(hosts)} machines ${done === 1 ? "is" : "are"} of the desired template`];
}

function describeLeftovers(spec: Spec, deployed: Deployed): Status["leftovers"] {
  const left = new Map(leftoversOf(spec, deployed).map(({ pool, addresses }) => [pool, addresses.size]));
  return emptiedPools(spec, deployed).map(({ name: pool, retire = "keep-volumes" }) => ({
    pool,
    volumes: retire,
    addresses: left.get(pool) ?? 0,
  }));
}
