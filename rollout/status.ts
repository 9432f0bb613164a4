import * as z from "zod";
import { describeOrigin, isForReview, type Deployed } from "../spec/deployed.js";
import { groupsOf } from "../spec/groups.js";
import {
  countedPending,
  deployedHosts,
  describePending,
  inFlightOf,
  isNew,
  pendingGroups,
} from "../spec/pending.js";
import { emptiedPools, leftoversOf } from "../spec/retiring.js";
import type { Spec } from "../spec/schema.js";

/** What a group is: as desired, waiting for its roll, being rolled, waiting behind another, not there yet, or left for good. */
const GROUP_STATES = ["current", "pending", "in flight", "frozen", "new", "retired"] as const;

/** What `rollout status --format json` prints. */
export const statusSchema = z.strictObject({
  cluster: z.string(),
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
      reason: z.string().nullable().describe("What differs, or why the group is in flight."),
    }),
  ),
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
});

export type Status = z.output<typeof statusSchema>;
export type GroupStatus = Status["groups"][number];

/** Where each group of a cluster stands. */
export function statusOf(spec: Spec, deployed: Deployed, views: readonly string[]): Status {
  const inFlight = new Map(inFlightOf(spec, deployed).map(({ group, reasons }) => [group, reasons]));
  const waiting = pendingGroups(spec, deployed);
  const pending = new Set(waiting.map(({ name }) => name));
  const groups = groupsOf(spec).map((group): GroupStatus => {
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
            : "current";
    return {
      name: group.name,
      pool: group.pool,
      index: group.index,
      state,
      image: {
        deployed: current?.hosts.at(0)?.image ?? current?.revisions.at(-1)?.image ?? null,
        desired: group.image,
      },
      hosts: { deployed: current ? deployedHosts(current) : 0, desired: group.hosts },
      revision: current?.revisions.at(-1)?.number ?? null,
      reason: reasons?.join(", ") ?? (waits && current ? describePending(group, current) : null),
    };
  });
  const left = new Map(leftoversOf(spec, deployed).map(({ pool, addresses }) => [pool, addresses.size]));
  const leftovers = emptiedPools(spec, deployed).map(({ name: pool, retire = "keep-volumes" }) => ({
    pool,
    volumes: retire,
    addresses: left.get(pool) ?? 0,
  }));
  return {
    cluster: spec.name,
    platform: spec.platform,
    protection: spec.protection,
    deployed: {
      origin: describeOrigin(deployed.origin),
      forReview: isForReview(deployed.origin),
      empty: deployed.addresses.size === 0,
    },
    groups,
    leftovers,
    views: [...views],
    next: nextCommand({ groups, leftovers }, [...inFlight.keys()][0], spec, countedPending(waiting).length),
  };
}

function nextCommand(
  { groups, leftovers }: Pick<Status, "groups" | "leftovers">,
  inFlight: string | undefined,
  { rollout, protection }: Spec,
  counted: number,
): string | null {
  const isForCluster =
    groups.some(({ state }) => state === "new") || leftovers.some(({ addresses }) => addresses > 0);
  if (protection === "off") return isForCluster ? "npx cdktf deploy cluster" : null;
  if (inFlight !== undefined) return `npx cdktf deploy ${inFlight}`;
  if (counted > 1 && rollout.pendingGroups === "one") return null;
  const pending = groups.find(({ state }) => state === "pending");
  if (pending) return `npx cdktf deploy ${pending.name}`;
  return isForCluster ? "npx cdktf deploy cluster" : null;
}
