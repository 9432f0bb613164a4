import {
  CONSUL_RIGHTS,
  NOMAD_RIGHTS,
  type Autopilot,
  type NomadJob,
  type NomadNode,
  type Observation,
  type Observed,
  type RaftPeer,
  type Unknown,
} from "../../../rollout/observation/observation.js";
import { isHostOf } from "../../../rollout/observation/host-of.js";
import type { Health } from "../../../packages/simulator/autopilot.js";
import type { SimulatedCluster } from "../../../packages/simulator/cluster.js";
import { isLive, type Allocation } from "../../../packages/simulator/nomad/allocation.js";
import type { NodeRecord } from "../../../packages/simulator/nomad/node-record.js";
import type { Raft } from "../../../packages/simulator/raft.js";

/** When simulated time begins. */
export const EPOCH = Date.parse("2026-01-01T00:00:00Z");

const NO_LEADER: Unknown = { unknown: "500 No cluster leader" };
const NO_ANSWER: Unknown = { unknown: "connection refused" };

interface Question {
  readonly group: string;
  readonly snapshotAt: number | null;
  /** The hosts whose own agents are asked. */
  readonly agentsOf: readonly string[];
  /** Nobody answers. */
  readonly isMute: boolean;
}

/** What Consul and Nomad say, read from the simulated state itself: the same as their answers, without HTTP. */
export function observe(
  cluster: SimulatedCluster,
  { group, snapshotAt, agentsOf, isMute }: Question,
): Observation {
  const at = EPOCH + cluster.timeline.now;
  const { consul, nomad } = cluster;
  const fromConsul = <T>(value: () => T): Observed<T> =>
    isMute ? NO_ANSWER : consul.raft.leader ? value() : NO_LEADER;
  const fromNomad = <T>(value: () => T): Observed<T> =>
    isMute ? NO_ANSWER : nomad.servers.raft.leader ? value() : NO_LEADER;
  const nodes = [...nomad.nodes.records.values()];
  const ids = new Set(nodes.filter(({ name }) => isHostOf(group, name)).map(({ id }) => id));
  const work = [...nomad.scheduler.allocations.values()];
  return {
    at,
    consul: {
      rights: fromConsul(() => CONSUL_RIGHTS),
      members: isMute
        ? NO_ANSWER
        : [...consul.gossip.members.values()].map(({ name, status, agent }) => ({
            name,
            status,
            address: agent.address,
          })),
      catalog: fromConsul(() =>
        [...consul.catalog.nodes.values()].map(({ id, name, address, meta }) => ({
          id,
          name,
          address,
          meta,
        })),
      ),
      autopilot: fromConsul(() => autopilotOf(consul.autopilot.health)),
      raft: fromConsul(() => peersOf(consul.raft)),
      health: fromConsul(() =>
        [...consul.catalog.nodes.values()].flatMap((node) =>
          [...node.checks.values()].map((check) => ({
            node: node.name,
            id: check.id,
            service: check.service?.name ?? "",
            status: check.status === "passing" ? ("passing" as const) : ("critical" as const),
          })),
        ),
      ),
      canTransferLeadership: fromConsul(() => false),
    },
    nomad: {
      rights: fromNomad(() => NOMAD_RIGHTS),
      nodes: fromNomad(() => nodes.map(nodeOf)),
      allocations: fromNomad(() => work.filter(({ node }) => ids.has(node.id)).map(allocationOf)),
      jobs: fromNomad(() => jobsOf(cluster)),
      members: isMute
        ? NO_ANSWER
        : [...nomad.servers.gossip.members.values()].map(({ name, status, agent }) => ({
            name,
            status,
            id: agent.id,
            address: agent.address,
            version: nomad.version,
          })),
      autopilot: fromNomad(() => autopilotOf(nomad.servers.autopilot.health)),
      raft: fromNomad(() => peersOf(nomad.servers.raft)),
    },
    snapshotAt,
    machines: { unknown: "there is no such API", absent: true },
    targets: [],
    agents: agentsOf.map((host) => {
      const machine = cluster.machines.get(host);
      if (isMute) return { host, consul: NO_ANSWER, nomad: NO_ANSWER };
      return {
        host,
        consul: machine?.consul?.running ? { nodeId: machine.consul.id } : "stopped",
        nomad: machine?.nomad?.running ? { id: machine.nomad.id } : "stopped",
      };
    }),
    checks: [],
  };
}

const peersOf = (raft: Raft): RaftPeer[] =>
  raft.peers.map(({ id, name, address, voter }) => ({
    id,
    name,
    address,
    voter,
    leader: raft.leader?.id === id,
  }));

const autopilotOf = ({ healthy, failureTolerance, servers }: Health): Autopilot => ({
  healthy,
  failureTolerance,
  servers: (servers ?? []).map((server) => ({
    id: server.id,
    name: server.name,
    voter: server.voter,
    leader: server.leader,
    healthy: server.healthy,
    stableSince: EPOCH + (server.stableSince ?? 0),
  })),
});

const nodeOf = (node: NodeRecord): NomadNode => ({
  id: node.id,
  name: node.name,
  status: node.status,
  eligibility: node.eligible ? "eligible" : "ineligible",
  drain: node.drain
    ? { deadlineAt: node.drain.forceAt === undefined ? null : EPOCH + node.drain.forceAt }
    : null,
  lastDrain: node.lastDrain ? { status: node.lastDrain.status } : null,
  events: node.events.map(({ at, message, details }) => ({
    at: EPOCH + at,
    message,
    deadlineReached: details?.["deadline_reached"] === "true",
  })),
  meta: node.agent.settings.meta,
  resources: { cpuMhz: node.agent.settings.cpuMhz, memoryMb: node.agent.settings.memoryMb },
  used: { cpuMhz: 0, memoryMb: 0 },
});

const allocationOf = (one: Allocation): Exclude<Observation["nomad"]["allocations"], Unknown>[number] => ({
  id: one.id,
  node: one.node.id,
  job: one.job.id,
  namespace: one.job.spec.Namespace,
  taskGroup: one.group.name,
  clientStatus: one.client,
  desiredStatus: one.desired,
  ...(one.healthy === undefined ? {} : { healthy: one.healthy }),
  since: EPOCH + one.modifiedAt,
});

const jobsOf = ({ nomad: { scheduler } }: SimulatedCluster): NomadJob[] =>
  [...scheduler.jobs.values()].map((job) => {
    const wanted = scheduler.of(job).filter(isLive);
    return {
      id: job.id,
      namespace: job.spec.Namespace,
      type: job.type,
      groups: job.groups.map(({ name, count }) => {
        const running = wanted.filter((one) => one.group.name === name && one.client === "running");
        const healthy = running.filter((one) => one.healthy === true).length;
        return { name, desired: job.stopped ? 0 : count, running: running.length, healthy };
      }),
    };
  });
