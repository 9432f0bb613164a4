import type { Member } from "../../gossip.js";
import type { ConsulAgent } from "../agent.js";
import type { Consul } from "../consul.js";

const STATUS = { alive: 1, leaving: 2, left: 3, failed: 4 } as const;

/** A member as `/v1/agent/members` writes it. The build tag is the version, a colon and the revision, which is empty. */
export function memberOf(consul: Consul, { name, agent, status }: Member<ConsulAgent>) {
  const common = {
    acls: consul.options.tokens ? "1" : "0",
    build: `${consul.version}:`,
    dc: "dc1",
    id: agent.id,
  };
  return {
    Name: name,
    Addr: agent.address,
    Port: 8301,
    Tags: agent.server ? { ...common, ...serverTags(consul) } : { ...common, role: "node", ...VERSIONS },
    Status: STATUS[status],
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

const VERSIONS = { segment: "", vsn: "2", vsn_max: "3", vsn_min: "2" };

const serverTags = (consul: Consul) => ({
  expect: String(consul.options.bootstrapExpect ?? 3),
  ft_fs: "1",
  port: "8300",
  raft_vsn: "3",
  role: "consul",
  wan_join_port: "8302",
  ...VERSIONS,
});

/** `/v1/agent/self`. Numbers under `Stats` are text. */
export function selfOf(consul: Consul, agent: ConsulAgent) {
  const status = consul.gossip.members.get(agent.name)?.status ?? "alive";
  return {
    Config: {
      Datacenter: "dc1",
      NodeName: agent.name,
      NodeID: agent.id,
      Revision: "",
      Server: agent.server,
      Version: consul.version,
    },
    DebugConfig: { NodeMeta: agent.meta, NodeName: agent.name, RetryJoinLAN: agent.retryJoin },
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 },
    Member: memberOf(consul, { name: agent.name, agent, status, since: 0 }),
    Stats: {
      agent: { check_monitors: "0", check_ttls: "0", checks: "0", services: String(agent.services.size) },
      build: { prerelease: "", revision: "", version: consul.version },
      ...(agent.server ? serverStats(consul, agent) : clientStats(consul, agent)),
      runtime: {
        arch: "amd64",
        cpu_count: "2",
        goroutines: "100",
        max_procs: "2",
        os: "linux",
        version: "go1.15.9",
      },
      serf_lan: serfStats(consul, agent),
      ...(agent.server ? { serf_wan: serfStats(consul, agent) } : {}),
    },
    Meta: { ...agent.meta, "consul-network-segment": "" },
  };
}

function serverStats({ raft, options }: Consul, agent: ConsulAgent) {
  const leads = raft.leader?.id === agent.id;
  const index = String(agent.hasLog ? raft.index : 0);
  const term = String(agent.hasLog ? raft.term : 0);
  const peers = agent.hasLog ? raft.peers : [];
  const listed = peers
    .map(({ id, address, voter }) => `{Suffrage:${voter ? "Voter" : "Nonvoter"} ID:${id} Address:${address}}`)
    .join(" ");
  return {
    consul: {
      acl: options.tokens ? "enabled" : "disabled",
      bootstrap: "false",
      known_datacenters: "1",
      leader: String(leads),
      leader_addr: raft.leaderSeenBy(agent.id),
      server: "true",
    },
    raft: {
      applied_index: index,
      commit_index: index,
      fsm_pending: "0",
      last_contact: leads ? "0" : "20ms",
      last_log_index: index,
      last_log_term: term,
      last_snapshot_index: "0",
      last_snapshot_term: "0",
      latest_configuration: `[${listed}]`,
      latest_configuration_index: "0",
      num_peers: String(Math.max(0, peers.length - 1)),
      protocol_version: "3",
      protocol_version_max: "3",
      protocol_version_min: "0",
      snapshot_version_max: "1",
      snapshot_version_min: "0",
      state: leads ? "Leader" : "Follower",
      term,
    },
  };
}

function clientStats({ gossip, options }: Consul, agent: ConsulAgent) {
  const servers = agent.joined ? gossip.alive.filter((member) => member.agent.server).length : 0;
  return {
    consul: { acl: options.tokens ? "enabled" : "disabled", known_servers: String(servers), server: "false" },
  };
}

function serfStats({ gossip }: Consul, agent: ConsulAgent) {
  const members = agent.joined ? [...gossip.members.values()] : [];
  const count = (status: string): string => String(members.filter((each) => each.status === status).length);
  return {
    coordinate_resets: "0",
    encrypted: "false",
    event_queue: "0",
    event_time: "1",
    failed: count("failed"),
    health_score: "0",
    intent_queue: "0",
    left: count("left"),
    member_time: "5",
    members: String(Math.max(1, members.length)),
    query_queue: "0",
    query_time: "1",
  };
}
