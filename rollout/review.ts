import * as z from "zod";
import { describeOrigin, type Deployed, type DeployedGroup } from "../spec/deployed.js";
import { durationSeconds } from "../spec/duration.js";
import { groupsOf, poolsOf, type Group, type Pool } from "../spec/groups.js";
import { describePending, deployedHosts, isNew, pendingGroups } from "../spec/pending.js";
import type { Spec } from "../spec/schema.js";

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
  groups: z.array(
    z.strictObject({
      name: z.string(),
      change: z.string().describe("`ami-0aaa -> ami-0bbb`"),
      machines: z.int().describe("How many machines are replaced, created or destroyed."),
      alsoReplaced: z.array(z.string()).describe("What else is replaced, and why."),
      steps: z.array(z.string()).describe("The order in which things happen."),
    }),
  ),
  frozen: z.array(z.string()).describe("Deployed groups that stay as they are."),
  created: z.array(z.string()).describe("New groups, which come by the cluster view."),
  pools: z.array(
    z.strictObject({
      name: z.string(),
      cells: z.array(
        z.strictObject({
          deployed: z.string().nullable(),
          desired: z.string(),
          state: z.enum(["frozen", "changes", "new"]),
        }),
      ),
    }),
  ),
  differences: z.array(difference),
  deployed: z.string(),
});

export type Review = z.output<typeof reviewSchema>;
export type Difference = z.output<typeof difference>;

export interface ReviewInput {
  readonly spec: Spec;
  readonly deployed: Deployed;
  readonly violations: Review["violations"];
  readonly differences: readonly Difference[];
}

/** Explains what a change of the spec is going to do, for the person who approves it. The same input gives the same review. */
export function reviewOf({ spec, deployed, violations, differences }: ReviewInput): Review {
  const pending = pendingGroups(spec, deployed);
  const fresh = groupsOf(spec).filter(({ name }) => isNew(deployed.groups.get(name)));
  const groups = pending.map((group) => explain(group, spec, deployed));
  return {
    cluster: spec.name,
    verdict: violations.length === 0 ? "accepted" : "rejected",
    headline: headlineOf(groups, fresh, violations),
    violations: [...violations],
    groups,
    frozen: groupsOf(spec)
      .filter(
        ({ name }) => !isNew(deployed.groups.get(name)) && !pending.some((group) => group.name === name),
      )
      .map(({ name }) => name),
    created: fresh.map(({ name }) => name),
    pools: poolsOf(spec).map((pool) => ({
      name: pool.name,
      cells: pool.groups.map((group) => ({
        deployed: deployed.groups.get(group.name)?.revisions.at(-1)?.image ?? null,
        desired: group.image,
        state: fresh.includes(group)
          ? "new"
          : pending.some(({ name }) => name === group.name)
            ? "changes"
            : "frozen",
      })),
    })),
    differences: [...differences],
    deployed: describeOrigin(deployed.origin),
  };
}

function headlineOf(
  groups: Review["groups"],
  fresh: readonly Group[],
  violations: Review["violations"],
): string {
  const machines = groups.reduce((sum, group) => sum + group.machines, 0);
  const names = groups.map(({ name }) => name).join(", ");
  const created = fresh.length === 0 ? "" : `${count(fresh.length, "new group")} will be created`;
  const rolled =
    groups.length === 0
      ? ""
      : `${changes(groups.length, violations.length > 0)}: ${names}, ${count(machines, "machine")}`;
  const what = [rolled, created].filter((part) => part !== "").join("; ") || "no group changes";
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(", ");
  return violations.length === 0 ? what : `rejected (${rules}): ${what}`;
}

function explain(group: Group, spec: Spec, deployed: Deployed): Review["groups"][number] {
  const current = deployed.groups.get(group.name);
  const pool = poolsOf(spec).find(({ name }) => name === group.pool);
  const there = current ? deployedHosts(current) : 0;
  const replaced = current?.hosts.filter(({ hash }) => hash !== group.hash).length ?? 0;
  const machines =
    Math.max(replaced, 0) +
    Math.max(group.hosts - there, 0) +
    (replaced === 0 ? Math.max(there - group.hosts, 0) : 0);
  return {
    name: group.name,
    change: current ? describePending(group, current) : "new",
    machines,
    alsoReplaced: pool ? alsoReplaced(group, pool, spec, there) : [],
    steps: pool ? stepsOf(group, pool, nextRevision(current, deployed)) : [],
  };
}

function alsoReplaced(group: Group, pool: Pool, spec: Spec, hosts: number): string[] {
  const all = groupsOf(spec).reduce((sum, { hosts: own }) => sum + own, 0);
  return [
    group.role === "consul-server"
      ? `every config_consul in the cluster (${String(all)}), because ${group.name} is a Consul server and every machine must learn its new address`
      : `config_consul of these ${count(hosts, "machine")}, so that they know the Consul servers`,
    ...(group.dataVolume ? [`${count(hosts, "volume attachment")}; the data volumes themselves stay`] : []),
    ...(pool.loadBalancer ? [`${count(hosts, "registration")} at the load balancer`] : []),
  ];
}

/** A spec knows no revisions, so its next has no number. */
function nextRevision(current: DeployedGroup | undefined, { origin }: Deployed): string {
  return origin.kind === "spec"
    ? "the new revision"
    : `revision ${String((current?.revisions.at(-1)?.number ?? 0) + 1)}`;
}

/** In the order that the edges between the resources make. */
function stepsOf(group: Group, pool: Pool, revision: string): string[] {
  const delay = pool.loadBalancer ? durationSeconds(pool.loadBalancer.deregistrationDelay) : 0;
  return [
    ...(pool.loadBalancer
      ? [`out of the load balancer, open connections end (up to ${String(delay)} s)`]
      : []),
    LEAVES[group.role],
    ...(group.dataVolume ? ["data volumes detached"] : []),
    `old ${group.hosts === 1 ? "machine" : "machines"} destroyed, then new from ${group.image}`,
    ...(group.dataVolume ? ["the same data volumes attached"] : []),
    group.role === "consul-server"
      ? "every machine in the cluster told of the new Consul server"
      : "told of the Consul servers",
    ...(pool.loadBalancer ? ["back into the load balancer"] : []),
    "ready: the group is whole again, or everything stops here",
    `${revision} recorded`,
  ];
}

const LEAVES = {
  "consul-server": "leave: leadership handed over, out of Consul",
  "nomad-server": "leave: leadership handed over, out of Nomad's raft, out of Consul",
  client: "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
} as const;

function changes(groups: number, isRejected: boolean): string {
  if (isRejected) return `${count(groups, "group")} would change`;
  return groups === 1 ? "one group changes" : `${String(groups)} groups change, one after another`;
}

const count = (number: number, noun: string): string => `${String(number)} ${noun}${number === 1 ? "" : "s"}`;
