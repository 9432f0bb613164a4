import { isKnown } from "../observation/known.js";
import { isDeadRecord, isMachineEnded } from "../observation/machine.js";
import type { Allocation, NomadJob, NomadNode, Observation, Target } from "../observation/observation.js";
import { deadInConsul, leaveConsul } from "./consul-agent.js";
import { cutDrains, drainNodes, hasEnded } from "./drain.js";
import { hostsAmong, missingHosts } from "./missing-hosts.js";
import { stays, isLater, type LeaveOrder } from "./order.js";
import { blocked, step, wait, waitForAnswers, type Next } from "./step.js";
import { notWhole } from "./work-whole.js";

/** Longer than the longest deregistration delay. */
const TARGETS_SECONDS = 3700;

/** Nomad's own healthy_deadline is 5 minutes; images have to be pulled before. */
const WHOLE_SECONDS = 900;

/**
 * A group of clients: out of the load balancer, drained all together, whole again elsewhere, out of Consul. Machines that
 * wait for a later batch only get no new work, or they would get what leaves the others.
 */
export function nextClientLeave(observation: Observation, order: LeaveOrder): Next {
  const known = {
    nodes: observation.nomad.nodes,
    allocations: observation.nomad.allocations,
    jobs: observation.nomad.jobs,
    members: observation.consul.members,
    catalog: observation.consul.catalog,
    targets: observation.targets,
  };
  if (!isKnown(known)) return waitForAnswers(known);
  const { nodes, allocations, jobs, members, catalog, targets } = known;
  const found = hostsAmong(
    order.group,
    [nodes, members, catalog].flatMap((list) => list.map(({ name }) => name)),
  );
  const missing = missingHosts(found, order, observation);
  if (missing.length > 0) return blocked(missing);

  const records = found.flatMap((host) => nodes.filter(({ name }) => name === host));
  // A dead machine's record outlives it, and in a group that is taken back it has the very hash that is wanted again.
  const { machines } = observation;
  const isLive = (node: NomadNode): boolean =>
    !isDeadRecord(node, nodes, machines) && !isMachineEnded(machines, node.name);
  const standing = records.filter(({ status }) => status !== "down");
  const staying = new Set(
    [...standing, ...catalog].filter((one) => stays(order, one)).map(({ name }) => name),
  );
  const going = found.filter((host) => !staying.has(host) && !isLater(order, host));
  if (nodes.length === 0 && going.length > 0) return blocked([noNodes(order)]);
  const leaving = records.filter((node) => !stays(order, node));
  const later = leaving.filter(({ name }) => isLater(order, name)).filter(isLive);
  const old = leaving.filter(({ name }) => !isLater(order, name));
  const live = old.filter(isLive);
  const notes = [
    ...going.flatMap((host) => deadInNomad(host, records)),
    ...deadInConsul(going, members, observation),
    ...(order.drain.onDeadline === "accept" ? cutDrains(live, { allocations, jobs }, order) : []).map(
      ({ subject, message }) => `${subject}: ${message}; drain.onDeadline: accept goes on`,
    ),
  ];

  const bound = order.retires && order.workload === "stays" ? boundWork(live, allocations, jobs) : [];
  const oldIds = new Set(old.map(({ id }) => id));
  const lost = allocations.filter(({ node }) => oldIds.has(node));
  const unfinished = order.workload === "moves" && going.length > 0 ? notWhole(lost, jobs) : [];
  const next =
    (bound.length > 0 ? blocked([nowhereToGo(order, bound)]) : undefined) ??
    waitForTargets(targets.filter(({ host }) => going.includes(host))) ??
    drainNodes(live, later, { allocations, jobs }, order, observation.at) ??
    (unfinished.length > 0 ? waitWhole(order, unfinished) : undefined) ??
    leaveConsul(going, order, { members, catalog }, observation);
  return { ...(next ?? { kind: "done" }), notes };
}

const waitWhole = ({ group }: LeaveOrder, unfinished: readonly string[]): Next =>
  wait("wait-whole", `${group}: waiting until its work runs healthy elsewhere`, unfinished, WHOLE_SECONDS);

function waitForTargets(targets: readonly Target[]): Next | undefined {
  const hostsIn = (isMeant: (target: Target) => boolean): string[] => [
    ...new Set(targets.filter(isMeant).map(({ host }) => host)),
  ];
  const registered = hostsIn(({ state }) => state !== "draining" && state !== "unused");
  if (registered.length > 0) {
    return step({
      action: "deregister-targets",
      hosts: registered,
      message: `${registered.join(", ")} out of the load balancer`,
      deadlineSeconds: 60,
    });
  }
  const draining = hostsIn(({ state }) => state === "draining");
  if (draining.length === 0) return undefined;
  return wait(
    "wait-targets-drained",
    "waiting until open connections have ended",
    draining.map((host) => `${host} is draining at the load balancer`),
    TARGETS_SECONDS,
  );
}

/** What is said of a host that Nomad is not asked to drain. */
function deadInNomad(host: string, records: readonly NomadNode[]): string[] {
  const own = records.filter(({ name }) => name === host);
  if (own.length === 0) return [`${host}: Nomad has no node of this name, so there is nothing to drain`];
  return own.every(({ status }) => status === "down")
    ? [`${host}: down in Nomad, so it is not drained; its work counts as lost`]
    : [];
}

/** The jobs with work on these nodes, but those that run on every node and go with it: `default/rocketmq (2)`. */
function boundWork(
  nodes: readonly NomadNode[],
  allocations: readonly Allocation[],
  jobs: readonly NomadJob[],
): string[] {
  const ids = new Set(nodes.map(({ id }) => id));
  return jobs
    .filter(({ type }) => type === "service" || type === "batch")
    .flatMap(({ id, namespace }) => {
      const own = allocations.filter(
        (each) => each.job === id && each.namespace === namespace && ids.has(each.node) && !hasEnded(each),
      );
      return own.length === 0 ? [] : [`${namespace}/${id} (${String(own.length)})`];
    })
    .sort();
}

const nowhereToGo = ({ group }: LeaveOrder, jobs: readonly string[]) => ({
  subject: group,
  message: `its pool retires, and work that is bound to its data volumes has nowhere to go: ${jobs.join(", ")}`,
  remedy: "stop these jobs or take their work off this group yourself, then run this again",
});

const noNodes = ({ group }: LeaveOrder) => ({
  subject: group,
  message: "Nomad lists no node at all, so nothing proves that the work of this group has left",
  remedy: "check NOMAD_ADDR and that the clients have joined, then run this again",
});
