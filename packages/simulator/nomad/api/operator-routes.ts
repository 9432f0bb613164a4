import * as z from "zod";
import { SNAPSHOT, empty, json, text, type Answer, type Reply } from "../../answer.js";
import type { Health, ServerHealth } from "../../autopilot.js";
import { goDuration } from "../../blocking.js";
import { isBefore } from "../../version.js";
import { denied } from "../access.js";
import type { Nomad } from "../nomad.js";
import { atLeader, bodyJson, failure, invalidMethod, type NomadCall, type NomadRoute } from "./context.js";

/** Raft and autopilot. On these paths a wrong method is 404. */
export const operatorRoutes: readonly NomadRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/operator/raft/configuration",
    otherMethod: invalidMethod(404),
    handle: asManagement((call) => {
      const { raft } = call.agent.nomad.servers;
      return json({
        Index: 0,
        Servers: raft.peers.map((peer) => ({
          Address: peer.address,
          ID: peer.id,
          Leader: peer.id === raft.leader?.id,
          Node: peer.name,
          RaftProtocol: "3",
          Voter: peer.voter,
        })),
      });
    }),
  },
  {
    methods: ["GET"],
    path: "/v1/operator/snapshot",
    handle: asManagement(() => ({
      status: 200,
      headers: { "Content-Type": "application/x-gzip" },
      body: SNAPSHOT,
    })),
  },
  {
    methods: ["DELETE"],
    path: "/v1/operator/raft/peer",
    otherMethod: invalidMethod(404),
    handle: asManagement(removePeer),
  },
  {
    methods: ["PUT", "POST"],
    path: "/v1/operator/raft/transfer-leadership",
    handle: (call) =>
      isBefore(call.agent.nomad.version, "1.7.0")
        ? text(404, "Invalid method")
        : asManagement(transfer)(call),
  },
  {
    methods: ["GET"],
    path: "/v1/operator/autopilot/health",
    otherMethod: invalidMethod(404),
    handle: (call) =>
      atLeader(call, () =>
        call.agent.rights.may("operator", "read") ? healthAnswer(call.agent.nomad) : denied(),
      ),
  },
  {
    methods: ["GET"],
    path: "/v1/operator/autopilot/configuration",
    otherMethod: invalidMethod(404),
    handle: (call) =>
      atLeader(call, () =>
        call.agent.rights.may("operator", "read") ? json(settings(call.agent.nomad)) : denied(),
      ),
  },
  {
    methods: ["PUT", "POST"],
    path: "/v1/operator/autopilot/configuration",
    otherMethod: invalidMethod(404),
    handle: configure,
  },
  {
    methods: ["PUT", "POST"],
    path: "/v1/system/gc",
    handle: asManagement((call) => {
      call.agent.nomad.collect();
      return empty();
    }),
  },
];

function asManagement(run: (call: NomadCall) => Reply): NomadRoute["handle"] {
  return (call) => (call.agent.rights.isManagement ? atLeader(call, () => run(call)) : denied());
}

function removePeer(call: NomadCall): Reply {
  const { servers } = call.agent.nomad;
  const id = call.request.query.get("id");
  if (call.request.query.has("address"))
    return text(400, "Removing a peer by address is not supported in the current raft protocol version");
  if (id === null || id === "") return text(400, "Must specify the peer's ID to remove");
  if (!servers.raft.peer(id)) return failure(call, `id "${id}" was not found in the Raft configuration`);
  servers.removePeer(id);
  return empty();
}

function transfer(call: NomadCall): Reply {
  const { raft } = call.agent.nomad.servers;
  const { query } = call.request;
  const id = query.get("id");
  const address = query.get("address");
  if (id === null && address === null) return text(400, "must specify id or address");
  if (id !== null && address !== null) return text(400, "must specify either id or address");
  if (id !== null && id.length !== 36) return text(400, "id must be a uuid: uuid string is wrong length");
  if (address !== null && !/:\d+$/.test(address))
    return text(400, "address must be in IP:port format: not an ip:port");
  const what = id === null ? `address "${address ?? ""}"` : `id "${id}"`;
  const target = raft.peers.find((peer) => (id === null ? peer.address === address : peer.id === id));
  const from = raft.leader;
  if (!target || !from) return text(400, `${what} was not found in the Raft configuration`);
  const isLeader = target.id === from.id;
  if (!isLeader && !target.voter) return text(500, "transfer leadership: cannot find peer");
  if (!isLeader) raft.transfer(target.id);
  const side = (peer: { address: string; id: string }) => ({ Address: peer.address, ID: peer.id });
  return json({ Err: null, From: side(from), Noop: isLeader, To: side(target) });
}

/** 200 when healthy; else 429 with the same body, but not as JSON by its header. */
function healthAnswer(nomad: Nomad): Answer {
  const { raft, autopilot } = nomad.servers;
  const { health } = autopilot;
  const body = {
    FailureTolerance: health.failureTolerance,
    Healthy: health.healthy,
    Leader: raft.leader?.id ?? "",
    Servers: (health.servers ?? []).map((server) => serverView(nomad, server)),
    Voters: votersOf(health),
  };
  return health.healthy ? json(body) : text(429, JSON.stringify(body));
}

const votersOf = (health: Health): string[] =>
  (health.servers ?? []).filter(({ voter }) => voter).map(({ id }) => id);

const serverView = (nomad: Nomad, server: ServerHealth) => ({
  LastContact: server.leader ? "0s" : "5.75195ms",
  ID: server.id,
  Name: server.name,
  Address: server.address,
  SerfStatus: server.serf,
  Version: nomad.version,
  Leader: server.leader,
  LastTerm: server.lastTerm,
  LastIndex: server.lastIndex,
  Healthy: server.healthy,
  Voter: server.voter,
  StableSince:
    server.stableSince === undefined
      ? "0001-01-01T00:00:00Z"
      : nomad.timeline.stampInSeconds(server.stableSince),
});

const settings = ({ servers: { autopilot } }: Nomad) => ({
  LastContactThreshold: "200ms",
  ServerStabilizationTime: `${String(autopilot.settings.stabilizationMs / 1000)}s`,
  CleanupDeadServers: autopilot.settings.cleanupDeadServers,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  EnableRedundancyZones: false,
  DisableUpgradeMigration: false,
  EnableCustomUpgrades: false,
  CreateIndex: 4,
  ModifyIndex: 4,
});

function configure(call: NomadCall): Reply {
  const { servers } = call.agent.nomad;
  if (!call.agent.rights.may("operator", "write")) return denied();
  const body = bodyJson(call.request.body);
  if (!("value" in body)) return body;
  const parsed = z
    .object({
      CleanupDeadServers: z.boolean().default(true),
      ServerStabilizationTime: z.string().default("10s"),
    })
    .safeParse(body.value);
  if (!parsed.success) return text(400, "Error parsing autopilot config");
  const cas = call.request.query.get("cas");
  return atLeader(call, () => {
    if (cas !== null && cas !== "4") return json(false);
    servers.autopilot.settings = {
      cleanupDeadServers: parsed.data.CleanupDeadServers,
      stabilizationMs: goDuration(parsed.data.ServerStabilizationTime) ?? 10_000,
    };
    return json(true);
  });
}
