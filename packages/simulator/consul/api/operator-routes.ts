import * as z from "zod";
import { empty, json, text, type Answer, type Reply } from "../../answer.js";
import type { Health, ServerHealth } from "../../autopilot.js";
import { goDuration } from "../../blocking.js";
import type { Timeline } from "../../timeline.js";
import { denied } from "../access.js";
import { atLeader, bodyJson, knowsServers, type ConsulCall, type ConsulRoute } from "./context.js";

/** Leadership, raft and autopilot. */
export const operatorRoutes: readonly ConsulRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/status/leader",
    handle: ({ agent: context }) => {
      const { consul, agent } = context;
      if (!agent.server) return knowsServers(context) ? json(consul.raft.leader?.address ?? "") : noServers();
      return json(agent.hasLog ? consul.raft.leaderSeenBy(agent.id) : "");
    },
  },
  {
    methods: ["GET"],
    path: "/v1/status/peers",
    handle: ({ agent: context }) => {
      const { consul, agent } = context;
      if (!agent.server && !knowsServers(context)) return noServers();
      return json(agent.server && !agent.hasLog ? [] : consul.raft.peers.map(({ address }) => address));
    },
  },
  {
    methods: ["GET"],
    path: "/v1/operator/raft/configuration",
    handle: operating("read", ({ agent: { consul } }) =>
      json({
        Servers: consul.raft.peers.map((peer) => ({
          ID: peer.id,
          Node: peer.name,
          Address: peer.address,
          Leader: peer.id === consul.raft.leader?.id,
          ProtocolVersion: "3",
          Voter: peer.voter,
        })),
        Index: 0,
      }),
    ),
  },
  { methods: ["DELETE"], path: "/v1/operator/raft/peer", handle: operating("write", removePeer) },
  {
    methods: ["GET"],
    path: "/v1/operator/autopilot/health",
    handle: operating("read", ({ agent: { consul } }) =>
      healthAnswer(consul.timeline, consul.autopilot.health, consul.version),
    ),
  },
  {
    methods: ["GET"],
    path: "/v1/operator/autopilot/configuration",
    handle: operating("read", ({ agent: { consul } }) => {
      const { stabilizationMs, cleanupDeadServers } = consul.autopilot.settings;
      return json({
        CleanupDeadServers: cleanupDeadServers,
        LastContactThreshold: "200ms",
        MaxTrailingLogs: 250,
        MinQuorum: 0,
        ServerStabilizationTime: `${String(stabilizationMs / 1000)}s`,
        RedundancyZoneTag: "",
        DisableUpgradeMigration: false,
        UpgradeVersionTag: "",
        CreateIndex: 4,
        ModifyIndex: 4,
      });
    }),
  },
  { methods: ["PUT"], path: "/v1/operator/autopilot/configuration", handle: operating("write", configure) },
];

/** In versions that have it; elsewhere the path is as unknown as any. */
export const transferLeaderRoute: ConsulRoute = {
  methods: ["POST"],
  path: "/v1/operator/raft/transfer-leader",
  handle: operating("write", ({ agent: { consul }, request }) => {
    const id = request.query.get("id");
    const target =
      id === null
        ? consul.raft.peers.find((peer) => peer.voter && peer !== consul.raft.leader)
        : consul.raft.peer(id);
    if (!target?.voter) return text(500, "cannot find peer");
    consul.raft.transfer(target.id);
    return json({ Success: true });
  }),
};

function operating(policy: "read" | "write", run: (call: ConsulCall) => Reply): ConsulRoute["handle"] {
  return (call) => atLeader(call, () => (call.agent.rights.mayOperate(policy) ? run(call) : denied()));
}

const noServers = (): Answer => text(500, "No known Consul servers");

function removePeer({ agent: { consul, agent }, request }: ConsulCall): Reply {
  const id = request.query.get("id");
  const address = request.query.get("address");
  if ((id === null) === (address === null))
    return text(
      400,
      "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    );
  const peer = consul.raft.peers.find((each) => (id === null ? each.address === address : each.id === id));
  const what = id === null ? `address "${address ?? ""}"` : `id "${id}"`;
  const prefix = id === null && consul.raft.leader?.id !== agent.id ? "rpc error making call: " : "";
  if (!peer) return text(500, `${prefix}${what} was not found in the Raft configuration`);
  consul.raft.remove(peer.id);
  return empty();
}

function configure({ agent: { consul }, request }: ConsulCall): Reply {
  const failed = (reason: string): Answer =>
    text(400, `Bad request: Error parsing autopilot config: ${reason}`);
  const body = bodyJson(request.body, failed);
  if (!("value" in body)) return body;
  const parsed = z
    .object({
      CleanupDeadServers: z.boolean().default(true),
      ServerStabilizationTime: z.string().default("10s"),
    })
    .safeParse(body.value);
  if (!parsed.success) return failed("json: cannot unmarshal value");
  const { CleanupDeadServers, ServerStabilizationTime } = parsed.data;
  consul.autopilot.settings = {
    cleanupDeadServers: CleanupDeadServers,
    stabilizationMs: goDuration(ServerStabilizationTime) ?? 10_000,
  };
  return json(true);
}

/** 200 when healthy; else 429 with the same body, but not as JSON by its header. */
function healthAnswer(timeline: Timeline, health: Health, version: string): Answer {
  const body = {
    Healthy: health.healthy,
    FailureTolerance: health.failureTolerance,
    Servers: health.servers?.map((server) => serverView(timeline, server, version)) ?? null,
  };
  return health.healthy ? json(body) : text(429, JSON.stringify(body));
}

const serverView = (timeline: Timeline, server: ServerHealth, version: string) => ({
  ID: server.id,
  Name: server.name,
  Address: server.address,
  SerfStatus: server.serf,
  Version: version,
  Leader: server.leader,
  LastContact: contact(server),
  LastTerm: server.lastTerm,
  LastIndex: server.lastIndex,
  Healthy: server.healthy,
  Voter: server.voter,
  StableSince:
    server.stableSince === undefined ? "0001-01-01T00:00:00Z" : timeline.stampInSeconds(server.stableSince),
});

function contact({ leader, reachable }: ServerHealth): string {
  if (!reachable) return "-1ns";
  return leader ? "0s" : "38.744918ms";
}
