import type { Finding } from "../preflight/finding.js";
import type { Allocation, NomadJob, NomadNode } from "../observation/observation.js";
import { wayBack, type LeaveOrder } from "./order.js";
import { blocked, step, wait, type Next, type NodeRef } from "./step.js";

interface Work {
  readonly allocations: readonly Allocation[];
  readonly jobs: readonly NomadJob[];
}

/** Beyond the drain's own deadline: tasks may take their kill timeout, and records some seconds. */
const GRACE_SECONDS = 600;

/**
 * Drains nodes: all of them ineligible before the first is drained, or what leaves one lands on another that is about
 * to go. Undefined once they are clean.
 * @param nodes the live nodes that go
 * @param later those that go with a later batch
 */
export function drainNodes(
  nodes: readonly NomadNode[],
  later: readonly NomadNode[],
  work: Work,
  order: LeaveOrder,
  at: number,
): Next | undefined {
  const eligible = [...nodes, ...later].filter(({ eligibility }) => eligibility === "eligible");
  if (eligible.length > 0) {
    return step({
      action: "mark-ineligible",
      nodes: eligible.map(reference),
      message: `${order.group}: ${namesOf(eligible)} may get no new work`,
      deadlineSeconds: 60,
    });
  }
  const undrained = nodes.filter((node) => drainOf(node) === "none");
  if (undrained.length > 0) {
    return step({
      action: "drain",
      nodes: undrained.map(reference),
      drainDeadlineSeconds: order.drain.deadlineSeconds,
      message: `${order.group}: ${namesOf(undrained)} drained, deadline ${String(order.drain.deadlineSeconds)} s`,
      deadlineSeconds: 60,
    });
  }
  const cut = cutDrains(nodes, work, order);
  if (cut.length > 0 && order.drain.onDeadline === "fail") return blocked(cut);
  const remaining = nodes.flatMap((node) => leftOn(node, work.allocations, at));
  if (remaining.length === 0) return undefined;
  return wait(
    "wait-drained",
    `${order.group}: waiting until no work is left`,
    remaining,
    order.drain.deadlineSeconds + GRACE_SECONDS,
  );
}

/**
 * What has become of the drain that counts now. One from before the node was eligible again, or that was cancelled, does
 * not. `LastDrain` says "complete" after a hit deadline too: only the event differs.
 */
export function drainOf(node: NomadNode): "none" | "draining" | "clean" | "deadline reached" {
  if (node.drain) return "draining";
  if (node.lastDrain?.status !== "complete") return "none";
  const last = lastTelling(node);
  if (last?.message !== "Node drain complete") return "none";
  return last.deadlineReached ? "deadline reached" : "clean";
}

const lastTelling = ({ events }: NomadNode) => events.findLast(({ message }) => TELLING.has(message));

const TELLING: ReadonlySet<string> = new Set([
  "Node drain complete",
  "Node drain disabled",
  "Node drain strategy set",
  "Node marked as eligible for scheduling",
]);

/** Whatever is not known to have ended may still run: `unknown` is what Nomad says of a client that it lost sight of. */
export const hasEnded = ({ clientStatus }: Allocation): boolean =>
  clientStatus === "complete" || clientStatus === "failed" || clientStatus === "lost";

function leftOn(node: NomadNode, allocations: readonly Allocation[], at: number): string[] {
  const left = allocations.filter((allocation) => allocation.node === node.id && !hasEnded(allocation));
  if (left.length === 0 && node.drain === null) return [];
  const work = left
    .map(
      ({ id, job, taskGroup, clientStatus, since }) =>
        `${short(id)} of ${job}.${taskGroup} ${clientStatus} since ${isoTime(since)}`,
    )
    .sort();
  return [
    `${node.name} (node ${short(node.id)}): ${deadlineText(node, at)}${work.length === 0 ? "no allocation left" : work.join(", ")}`,
  ];
}

function deadlineText({ drain }: NomadNode, at: number): string {
  if (!drain) return "";
  if (drain.deadlineAt === null) return "draining without a deadline; ";
  // No countdown: a line that changes with every look would be said with every look.
  const deadline = isoTime(drain.deadlineAt);
  return drain.deadlineAt > at ? `draining until ${deadline}; ` : `draining, past its deadline ${deadline}; `;
}

/** The drains that were ended by their deadline, with the work that it cut: what was stopped since, or still is. */
export function cutDrains(
  nodes: readonly NomadNode[],
  { allocations, jobs }: Work,
  order: LeaveOrder,
): Finding[] {
  const goesWithNode = ({ job, namespace }: Allocation): boolean =>
    jobs.some((each) => each.id === job && each.namespace === namespace && each.type === "system");
  return nodes.flatMap((node) => {
    if (drainOf(node) !== "deadline reached") return [];
    const at = lastTelling(node)?.at ?? 0;
    const cut = allocations
      .filter((each) => each.node === node.id && !goesWithNode(each) && (each.since >= at || !hasEnded(each)))
      .map(({ id, job, taskGroup }) => `${short(id)} of ${job}.${taskGroup}`)
      .sort();
    return [
      {
        subject: `${node.name} (node ${short(node.id)})`,
        message: `its drain was ended by the deadline, so work was stopped before it had left${cut.length === 0 ? "" : `: ${cut.join(", ")}`}`,
        remedy: `see to that work, then drain again (nomad node eligibility -enable ${node.id}, and run this again with a longer drain.deadline), or set drain.onDeadline: accept${wayBack(order)}`,
      },
    ];
  });
}

const reference = ({ id, name }: NomadNode): NodeRef => ({ id, host: name });

const namesOf = (nodes: readonly NomadNode[]): string => nodes.map(({ name }) => name).join(", ");

/** As Nomad's own command line shows ids. */
const short = (id: string): string => id.slice(0, 8);

const isoTime = (at: number): string => new Date(at).toISOString();
