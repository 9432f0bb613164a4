import { afterMs, empty, isLater, json, text, type Answer, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import { atLeader, invalidMethod, type NomadCall, type NomadRoute } from "./context.js";
import { memberOf, selfOf } from "./agent-view.js";

/** What the agents themselves answer, and the members. */
export const agentRoutes: readonly NomadRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/agent/self",
    handle: ({ agent: { nomad, agent, rights } }) =>
      rights.may("agent", "read") ? json(selfOf(nomad, agent)) : denied(),
  },
  {
    methods: ["GET"],
    path: "/v1/agent/members",
    handle: ({ agent: { nomad, agent, rights } }) => {
      if (!rights.may("node", "read")) return denied();
      const all = [...nomad.servers.gossip.members.values()];
      const own = { name: agent.name, agent, status: "alive" as const, since: 0 };
      const seen = agent.server && !agent.joined ? [own] : all;
      const server = agent.server ? agent : seen[0]?.agent;
      return json({
        Members: seen.map((member) => memberOf(nomad, member)),
        ServerDC: "dc1",
        ServerName: server?.settings.name ?? "",
        ServerRegion: "global",
      });
    },
  },
  { methods: ["GET"], path: "/v1/agent/health", handle: health },
  {
    methods: ["GET"],
    path: "/v1/agent/servers",
    handle: ({ agent: { nomad, agent } }) =>
      agent.server
        ? invalidMethod(501)()
        : json(nomad.servers.gossip.alive.map((member) => member.agent.rpcAddress)),
  },
  {
    methods: ["PUT", "POST"],
    path: "/v1/agent/force-leave",
    handle: ({ agent: { nomad, agent, rights }, request }) => {
      if (!agent.server) return invalidMethod(501)();
      if (!rights.may("agent", "write")) return denied();
      const name = request.query.get("node") ?? "";
      if (name === "") return text(400, "missing node to force leave");
      const prune = ["", "true", "1"].includes(request.query.get("prune") ?? "false");
      return afterMs(nomad.servers.forceLeave(name, prune), () => empty());
    },
  },
  { methods: ["GET"], path: "/v1/regions", handle: () => json(["global"]) },
  {
    methods: ["GET"],
    path: "/v1/status/leader",
    handle: (call) => atLeader(call, () => json(call.agent.nomad.servers.raft.leader?.address ?? "")),
  },
  {
    methods: ["GET"],
    path: "/v1/status/peers",
    handle: (call) =>
      atLeader(call, () => json(call.agent.nomad.servers.raft.peers.map(({ address }) => address))),
  },
];

/** A server is well when it has a leader to ask; the reason why not stands in the body. */
function health(call: NomadCall): Reply {
  const { agent } = call.agent;
  const type = call.request.query.get("type") ?? (agent.server ? "server" : "client");
  if (type === "server" && !agent.server) return unwell("server not enabled");
  if (!agent.server) return json({ client: { message: "ok", ok: true } });
  const asked = atLeader(call, () => json({ server: { message: "ok", ok: true } }));
  const translate = (reply: Reply): Reply =>
    isLater(reply) || reply.status === 200 ? reply : unwell(String(reply.body));
  if (!isLater(asked)) return translate(asked);
  return { ...asked, otherwise: () => translate(asked.otherwise()) };
}

const unwell = (message: string): Answer => text(500, JSON.stringify({ server: { ok: false, message } }));
