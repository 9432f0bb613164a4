import * as z from "zod";
import { hostAddress, type PlatformName } from "../../cluster/address.js";
import type { ClusterState } from "../../cluster/cluster-state.js";
import type { Deployed, DeployedGroup } from "../../cluster/deployed.js";
import { gateSettingsOf, type StepList } from "../../cluster/gate-settings.js";
import { poolsOf, type Group } from "../../cluster/groups.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import { hasNumber, withNumbers } from "../../cluster/numbers.js";
import { changesInPlace, describeInPlace, leftByRoll } from "../../cluster/in-place.js";
import { deployedHosts, describePending, isNew } from "../../cluster/pending.js";
import type { LoadBalancer } from "../../cluster/yaml/schema.js";
import type { Run } from "../log/read-runs.js";
import { impactOf } from "./impact.js";

/** What is going to happen to a group that stands already. */
export const explanation = z.strictObject({
  name: z.string(),
  change: z.string().describe("`ami-0aaa -> ami-0bbb`"),
  machines: z.strictObject({ replaced: z.int(), created: z.int(), destroyed: z.int(), stay: z.int() }),
  alsoReplaced: z.array(z.string()).describe("What else is replaced, and why."),
  impact: z
    .string()
    .describe(
      "How much of the pool goes, what becomes of its work, how long it may take and took last time.",
    ),
  steps: z.array(z.string()).describe("The order in which things happen."),
});

export type Explanation = z.output<typeof explanation>;

type Machines = Explanation["machines"];

/**
 * Explains the view of one deployed group, also of one whose roll has begun.
 */
export function explainGroup(group: Group, current: DeployedGroup, surroundings: Surroundings): Explanation {
  const { spec } = surroundings;
  const machines = machinesOf(withNumbers(group, current), current, spec.platform);
  const balancer = poolsOf(spec).find(({ name }) => name === group.pool)?.loadBalancer;
  const what = { group, current, machines, balancer, ...surroundings };
  const isInPlace = !surroundings.isMoving && changesInPlace(group, current).length > 0;
  return {
    name: group.name,
    change: isInPlace
      ? describeInPlace(group, current)
      : isDesired(group, current)
        ? unfinished(group, machines)
        : describePending(group, current),
    machines,
    alsoReplaced: alsoReplaced(what),
    impact: isInPlace ? NO_MACHINE : impactOf(what),
    steps: isInPlace
      ? [IN_PLACE]
      : [
          ...withOwn(group.retires ? retireSteps : machines.replaced > 0 ? rollSteps : resizeSteps, what),
          ...(group.retires || leftByRoll(group, current).length === 0 ? [] : [AFTERWARDS]),
        ],
  };
}

/** With the pool's own steps in their places. */
function withOwn(stepsOf: (what: What) => string[], what: What): string[] {
  const lines = stepsOf(what);
  const { steps } = gateSettingsOf(what.group.pool, what.spec);
  const own = (list: StepList) => steps.flatMap((step) => (step.list === list ? [step.title] : []));
  const leave = lines.findIndex((line) => line.startsWith("leave: "));
  return lines.flatMap((line, index) => [
    ...(index === 0 && leave >= 0 ? own("beforeLeave") : []),
    line,
    ...(index === leave ? own("afterLeave") : line === READY ? own("afterReady") : []),
  ]);
}

interface Surroundings extends ClusterState {
  /** Whether it is pending or in flight. Default: no. */
  readonly isMoving?: boolean;
  /** The log. Default: none, and only the state tells how long the group took. */
  readonly runs?: readonly Run[];
}

interface What extends Surroundings {
  readonly group: Group;
  readonly current: DeployedGroup;
  readonly machines: Machines;
  readonly balancer: LoadBalancer | undefined;
}

const NO_MACHINE = "no machine goes, and no work leaves";

const isDesired = (group: Group, current: DeployedGroup): boolean =>
  current.revisions.at(-1)?.hash === group.hash && deployedHosts(current) === group.hosts;

const unfinished = ({ image }: Group, { replaced }: Machines): string =>
  replaced > 0 ? `back to ${image}, since its roll was not finished` : "to be finished";

const IN_PLACE =
  "data volumes changed in place: no machine is replaced and no work leaves; a file system is grown on its machine, by your own means";

const AFTERWARDS = "once that is recorded, and after a question of its own: data volumes changed in place";

/** A machine is replaced where its template is another one, or where it is tainted; one that is missing is created. */
function machinesOf(group: Group, { hosts, tainted }: DeployedGroup, platform: PlatformName): Machines {
  const kept = hosts.filter(({ number }) => hasNumber(group, number));
  const replaced = kept.filter(
    ({ number, hash }) =>
      hash !== group.hash || tainted.includes(hostAddress(platform, group.name, number, "host")),
  );
  return {
    replaced: replaced.length,
    created: group.hosts - kept.length,
    destroyed: hosts.length - kept.length,
    stay: kept.length - replaced.length,
  };
}

function alsoReplaced({ group, machines, deployed, balancer }: What): string[] {
  const { replaced, created, destroyed } = machines;
  const isResized = group.role === "consul-server" && created + destroyed > 0;
  if (replaced === 0 && !isResized) return [];
  const why =
    replaced === 0
      ? "there is another number of them"
      : replaced === 1
        ? `${group.name} is one and gets a new address`
        : `${group.name} has ${String(replaced)} and each gets a new address, one after the other`;
  return [
    group.role === "consul-server"
      ? `every config_consul in the cluster (${String(standingMachines(deployed))}), which tells a machine where the Consul servers are, because ${why}; no other machine is replaced`
      : `${count(replaced, "config_consul", "")}, so that the new ${plural(replaced, "machine")} ${replaced === 1 ? "knows" : "know"} the Consul servers`,
    ...(group.dataVolume
      ? [`${count(replaced, "volume attachment")}; the data volumes themselves stay`]
      : []),
    ...(balancer ? [`${count(replaced, "registration")} at the load balancer`] : []),
  ];
}

const standingMachines = ({ groups }: Deployed): number =>
  [...groups.values()].filter((group) => !isNew(group)).reduce((sum, { hosts }) => sum + hosts.length, 0);

function rollSteps({ group, current, machines, deployed, balancer }: What): string[] {
  const isConsul = group.role === "consul-server";
  const others = standingMachines(deployed) - current.hosts.length;
  const { replaced, created, destroyed } = machines;
  return [
    ...outOfBalancer(balancer),
    current.leave ? LEAVES[group.role] : "the group has left already; what is done is not done again",
    ...(group.dataVolume ? ["data volumes detached"] : []),
    ...(group.surges ? [SURGES] : []),
    `${count(replaced + destroyed, "old machine")} destroyed, then ${String(replaced + created)} new from ${group.image}${group.role !== "client" && current.hosts.length > 1 ? ", one server at a time" : ""}`,
    ...(group.dataVolume ? ["the same data volumes attached"] : []),
    isConsul
      ? `told of the Consul servers; so ${others === 1 ? "is the other machine" : `are the other ${String(others)} machines`} in the cluster, side by side`
      : "told of the Consul servers",
    ...(balancer ? ["back into the load balancer"] : []),
    READY,
    `${nextRevision(current, deployed)} recorded${isConsul ? ", once every machine in the cluster has been told" : ""}`,
  ];
}

/** A group that leaves for good: its pool's data volumes and records go once no machine is left of the pool. */
function retireSteps({ group, current, machines: { destroyed }, balancer }: What): string[] {
  if (destroyed === 0) return ["no machine is left; its hooks are made for none"];
  return [
    ...outOfBalancer(balancer),
    current.leave ? LEAVES[group.role] : "the group has left already; what is done is not done again",
    ...(group.dataVolume ? ["data volumes detached; they are kept until the whole pool has left"] : []),
    `${count(destroyed, "machine")} destroyed, and none comes back`,
  ];
}

/** Where no template differs, those that stay are not touched. */
function resizeSteps({ group, machines, balancer }: What): string[] {
  const { created, destroyed, stay } = machines;
  const stays = `${stay === 1 ? "the other one stays" : `the other ${String(stay)} stay`} as ${stay === 1 ? "it is" : "they are"}`;
  if (created === 0 && destroyed === 0)
    return [`no machine is touched; what is missing around ${stay === 1 ? "it" : "them"} is made`, READY];
  return [
    ...(destroyed > 0
      ? [
          ...outOfBalancer(balancer),
          group.role === "client"
            ? `leave: ${count(destroyed, "machine")} ineligible, drained in Nomad, out of Consul; ${stays}`
            : `${LEAVES[group.role]}; ${stays}`,
          ...(group.dataVolume ? ["data volumes detached; they are kept"] : []),
          `${count(destroyed, "machine")} destroyed`,
        ]
      : []),
    ...(created > 0
      ? [
          `${count(created, "machine")} created from ${group.image}; ${stays}`,
          ...(group.dataVolume ? ["data volumes attached, those that are there already or new ones"] : []),
          "told of the Consul servers",
          ...(balancer ? ["into the load balancer"] : []),
        ]
      : []),
    READY,
  ];
}

const outOfBalancer = (balancer: What["balancer"]): string[] =>
  balancer
    ? [
        `out of the load balancer, open connections end (up to ${String(durationSeconds(balancer.deregistrationDelay))} s)`,
      ]
    : [];

const LEAVES = {
  "consul-server": "leave: leadership handed over, out of Consul",
  "nomad-server": "leave: leadership handed over, out of Nomad's raft, out of Consul",
  client: "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
} as const;

const SURGES =
  "so by cdktf deploy, which has one apply; by rollout deploy new machines come first (maxSurge), and old ones leave once these are proven";

const READY = "ready: the group is whole again, or everything stops here";

/** A spec knows no revisions, so its next has no number. */
function nextRevision(current: DeployedGroup, { origin }: Deployed): string {
  return origin.kind === "spec"
    ? "the new revision"
    : `revision ${String((current.revisions.at(-1)?.number ?? 0) + 1)}`;
}

/** `1 machine`, `3 machines` */
export const count = (number: number, noun: string, ending = "s"): string =>
  `${String(number)} ${plural(number, noun, ending)}`;

const plural = (number: number, noun: string, ending = "s"): string => `${noun}${number === 1 ? "" : ending}`;
