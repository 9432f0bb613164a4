import type { Member } from "../../gossip.js";
import type { NomadAgent } from "../agent.js";
import type { Nomad } from "../nomad.js";

/** A server as `/v1/agent/members` writes it. */
export const memberOf = (nomad: Nomad, { name, agent, status }: Member<NomadAgent>) => ({
  Addr: agent.address,
  DelegateCur: 4,
  DelegateMax: 5,
  DelegateMin: 2,
  Name: name,
  Port: 4648,
  ProtocolCur: 2,
  ProtocolMax: 5,
  ProtocolMin: 1,
  Status: status as string,
  Tags: {
    role: "nomad",
    vsn: "1",
    id: agent.id,
    expect: String(nomad.options.bootstrapExpect ?? 3),
    build: nomad.version,
    region: "global",
    revision: "",
    raft_vsn: "3",
    rpc_addr: agent.address,
    dc: "dc1",
    port: "4647",
  },
});

const NO_MEMBER = {
  Addr: null,
  DelegateCur: 0,
  DelegateMax: 0,
  DelegateMin: 0,
  Name: "",
  Port: 0,
  ProtocolCur: 0,
  ProtocolMax: 0,
  ProtocolMin: 0,
  Status: "none",
  Tags: null,
};

export function selfOf(nomad: Nomad, agent: NomadAgent) {
  const { server, address, settings } = agent;
  const known = nomad.servers.gossip.members.get(agent.name)?.status ?? "alive";
  return {
    config: {
      NodeName: settings.name,
      Region: "global",
      Datacenter: "dc1",
      Version: {
        BuildDate: null,
        Revision: "",
        Version: nomad.version.replace(/-.*/, ""),
        VersionMetadata: "",
        VersionPrerelease: /-(.*)/.exec(nomad.version)?.[1] ?? "",
      },
      Client: { Enabled: !server },
      Server: { Enabled: server },
      ACL: {
        Enabled: nomad.options.tokens !== undefined,
        PolicyTTL: 30e9,
        ReplicationToken: "",
        RoleTTL: 30e9,
        TokenMaxExpirationTTL: 0,
        TokenMinExpirationTTL: 0,
        TokenTTL: 30e9,
      },
      BindAddr: address,
      AdvertiseAddrs: {
        HTTP: `${address}:4646`,
        RPC: `${address}:4647`,
        Serf: server ? `${address}:4648` : address,
      },
      LeaveOnInt: settings.leaveOnInterrupt,
      LeaveOnTerm: false,
    },
    member: server ? memberOf(nomad, { name: agent.name, agent, status: known, since: 0 }) : NO_MEMBER,
    stats: server ? serverStats(nomad, agent) : clientStats(nomad, agent),
  };
}

const RUNTIME = {
  arch: "amd64",
  version: "go1.26.8",
  max_procs: "2",
  goroutines: "100",
  cpu_count: "2",
  "kernel.name": "linux",
};

function serverStats({ servers: { raft, gossip } }: Nomad, agent: NomadAgent) {
  const leads = raft.leader?.id === agent.id;
  const index = String(agent.hasLog ? raft.index : 0);
  const term = String(agent.hasLog ? raft.term : 0);
  const members = [...gossip.members.values()];
  const count = (status: string): string => String(members.filter((each) => each.status === status).length);
  const listed = raft.peers
    .map(({ id, address, voter }) => `{Suffrage:${voter ? "Voter" : "Nonvoter"} ID:${id} Address:${address}}`)
    .join(" ");
  return {
    raft: {
      commit_index: index,
      last_snapshot_term: "0",
      snapshot_version_max: "1",
      num_peers: String(Math.max(0, raft.peers.length - 1)),
      last_log_term: term,
      fsm_pending: "0",
      last_snapshot_index: "0",
      protocol_version: "3",
      protocol_version_min: "0",
      state: leads ? "Leader" : "Follower",
      term,
      last_log_index: index,
      snapshot_version_min: "0",
      latest_configuration: `[${agent.hasLog ? listed : ""}]`,
      applied_index: index,
      protocol_version_max: "3",
      latest_configuration_index: "0",
      last_contact: leads ? "0" : "20ms",
      logstore_backend: "boltdb",
    },
    serf: {
      event_queue: "0",
      query_queue: "0",
      encrypted: "false",
      coordinate_resets: "0",
      members: String(members.length),
      failed: count("failed"),
      member_time: "4",
      event_time: "1",
      left: count("left"),
      health_score: "0",
      query_time: "1",
      intent_queue: "0",
    },
    runtime: RUNTIME,
    nomad: {
      server: "true",
      leader: String(leads),
      leader_addr: raft.leaderSeenBy(agent.id),
      bootstrap: "false",
      known_regions: "1",
    },
  };
}

const clientStats = ({ servers, scheduler }: Nomad, agent: NomadAgent) => ({
  client: {
    heartbeat_ttl: "11.073290586s",
    node_id: agent.id,
    known_servers: servers.gossip.alive.map((member) => member.agent.rpcAddress).join(","),
    num_allocations: String(
      [...scheduler.allocations.values()].filter(({ node }) => node.id === agent.id).length,
    ),
    last_heartbeat: "2.246748ms",
  },
  runtime: RUNTIME,
});
