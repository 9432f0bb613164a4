import * as z from "zod";
import { afterMs, empty, json, text, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import { forceLeave, leave } from "../leaving.js";
import { TIMES } from "../times.js";
import type { ConsulCall, ConsulRoute } from "./context.js";
import { memberOf, selfOf } from "./member-view.js";
import { serviceRoutes } from "./service-routes.js";

/** What only this agent can answer or do. */
export const agentRoutes: readonly ConsulRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/agent/self",
    handle: ({ agent: { consul, agent, rights } }) =>
      rights.may("agentPrefix", agent.name, "read") ? json(selfOf(consul, agent)) : denied(),
  },
  {
    methods: ["GET"],
    path: "/v1/agent/members",
    handle: ({ agent: { consul, agent, rights } }) => {
      const all = agent.joined
        ? [...consul.gossip.members.values()].map((member) => memberOf(consul, member))
        : [memberOf(consul, { name: agent.name, agent, status: "alive", since: 0 })];
      return json(all.filter(({ Name }) => rights.may("nodePrefix", Name, "read")));
    },
  },
  {
    methods: ["PUT"],
    path: "/v1/agent/leave",
    handle: ({ agent: { consul, agent, rights } }) =>
      rights.may("agentPrefix", agent.name, "write") ? leave(consul, agent) : denied(),
  },
  {
    methods: ["PUT"],
    path: "/v1/agent/force-leave/*node",
    handle: ({ agent: { consul, rights }, request, part }) =>
      rights.mayOperate("write") ? forceLeave(consul, part("node"), request.query.has("prune")) : denied(),
  },
  {
    methods: ["PUT"],
    path: "/v1/agent/join/:address",
    handle: ({ agent: { consul, agent, rights }, part }) => {
      if (!rights.may("agentPrefix", agent.name, "write")) return denied();
      const address = part("address");
      return consul.joinAt(agent, address)
        ? empty()
        : text(
            500,
            `1 error occurred:\n\t* Failed to join ${address}: dial tcp ${address}:8301: connect: connection refused\n\n`,
          );
    },
  },
  {
    methods: ["PUT"],
    path: "/v1/agent/reload",
    handle: ({ agent: { consul, agent, rights } }) => {
      if (!rights.may("agentPrefix", agent.name, "write")) return denied();
      if (agent.config.broken !== undefined) return text(500, agent.config.broken);
      agent.meta = agent.config.meta;
      consul.changed(agent);
      return empty();
    },
  },
  { methods: ["PUT"], path: "/v1/agent/maintenance", handle: maintain },
  ...serviceRoutes,
];

function maintain({ agent: { consul, agent, rights }, request }: ConsulCall): Reply {
  const enable = request.query.get("enable");
  if (enable === null) return text(400, "Missing value for enable");
  if (!z.enum(["true", "false"]).safeParse(enable).success)
    return text(400, `Invalid value for enable: "${enable}"`);
  if (!rights.may("nodePrefix", agent.name, "write")) return denied();
  if (enable === "false") agent.maintenance = undefined;
  else
    agent.maintenance ??=
      request.query.get("reason") ??
      "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.";
  consul.changed(agent);
  return consul.raft.leader ? empty() : afterMs(TIMES.maintenanceWithoutLeaderMs, () => empty());
}
