import type { NomadClient } from "../../clients/nomad/nomad-client.js";
import type { Allocation, Node, NodeStub } from "../../clients/nomad/schemas.js";
import { groupBy } from "../../clients/group-by.js";
import type { NomadNode } from "../../rollout/observation/observation.js";
import { isLive, usedBy } from "./allocations.js";
import { inParallel } from "./in-parallel.js";
import { timeOf } from "./servers.js";

const AT_ONCE = 8;

type Capacity = Required<Pick<NomadNode, "resources" | "used">>;
type CapacityOf = (node: Pick<NodeStub, "ID" | "NodeResources" | "ReservedResources">) => Partial<Capacity>;

/**
 * Every node: some in all detail, the others as the list has them, without events and metadata.
 * @param allocations all there are; absent where that is not known, and then nobody knows what is free
 */
export async function observeNodes(
  nomad: NomadClient,
  stubs: readonly NodeStub[],
  isWhole: (stub: NodeStub) => boolean,
  allocations: readonly Allocation[] | undefined,
): Promise<NomadNode[]> {
  const capacity = capacityBy(allocations);
  const nodes = await inParallel(stubs, AT_ONCE, async (stub) => {
    if (!isWhole(stub)) return [listed(stub, capacity)];
    const node = await nomad.node(stub.ID);
    // Purged since it was listed.
    return node === undefined ? [] : [whole(node, capacity)];
  });
  return nodes.flat();
}

/** The list does not say until when a node drains. */
const listed = (stub: NodeStub, capacity: CapacityOf): NomadNode => ({
  ...common(stub),
  drain: stub.Drain === true ? { deadlineAt: null } : null,
  events: [],
  meta: {},
  ...capacity(stub),
});

const whole = (node: Node, capacity: CapacityOf): NomadNode => ({
  ...common(node),
  drain: node.DrainStrategy ? { deadlineAt: deadlineOf(node.DrainStrategy.ForceDeadline) } : null,
  events: node.Events.map(({ Timestamp, Message, Details }) => ({
    at: timeOf(Timestamp),
    message: Message,
    deadlineReached: Details["deadline_reached"] === "true",
  })),
  meta: node.Meta,
  attributes: node.Attributes,
  csi: node.CSINodePlugins ?? {},
  ...capacity(node),
});

const common = ({ ID, Name, Status, SchedulingEligibility, LastDrain, ...place }: NodeStub | Node) => ({
  id: ID,
  name: Name,
  status: Status,
  eligibility: SchedulingEligibility,
  lastDrain: LastDrain ? { status: LastDrain.Status } : null,
  ...{ datacenter: place.Datacenter, pool: place.NodePool, class: place.NodeClass },
});

function deadlineOf(deadline: string | null | undefined): number | null {
  const time = deadline == null ? 0 : timeOf(deadline);
  return time === 0 ? null : time;
}

/** What each node has for work, and what its work was given. Empty where Nomad is too old to say. */
function capacityBy(allocations: readonly Allocation[] | undefined): CapacityOf {
  const live = allocations?.filter(isLive);
  const isKnown = live?.every(({ AllocatedResources }) => AllocatedResources != null) === true;
  const byNode = groupBy(isKnown ? live : [], ({ NodeID = "" }) => NodeID);
  return ({ ID, NodeResources, ReservedResources }) => {
    if (!NodeResources) return {};
    return {
      resources: {
        cpuMhz: NodeResources.Cpu.CpuShares - (ReservedResources?.Cpu.CpuShares ?? 0),
        memoryMb: NodeResources.Memory.MemoryMB - (ReservedResources?.Memory.MemoryMB ?? 0),
      },
      ...(isKnown ? { used: usedBy(byNode.get(ID) ?? []) } : {}),
    };
  };
}
