import { empty, text, type Reply, type Request } from "../../answer.js";
import { route } from "../../router.js";
import { consulRights, ConsulRights } from "../access.js";
import type { ConsulAgent } from "../agent.js";
import type { Consul } from "../consul.js";
import { aclRoutes } from "./acl-routes.js";
import { agentRoutes } from "./agent-routes.js";
import { catalogRoutes } from "./catalog-routes.js";
import type { ConsulContext, ConsulRoute } from "./context.js";
import { kvRoutes } from "./kv-routes.js";
import { operatorRoutes, transferLeaderRoute } from "./operator-routes.js";
import { snapshotRoute } from "./snapshot-route.js";

const rootRoutes: readonly ConsulRoute[] = [
  { methods: ["GET"], path: "/", handle: () => text(200, "Consul Agent") },
  { methods: ["GET"], path: "/v1/acl/tokens", handle: () => text(401, "ACL support disabled") },
];

const routes: readonly ConsulRoute[] = [
  ...rootRoutes,
  ...agentRoutes,
  ...catalogRoutes,
  ...operatorRoutes,
  ...kvRoutes,
  snapshotRoute,
  ...aclRoutes,
];

const newerRoutes: readonly ConsulRoute[] = [...routes, transferLeaderRoute];

/** Paths that ask for no token, so that an unknown one does not matter there. */
const OPEN = ["/", "/v1/status/leader", "/v1/status/peers", "/v1/catalog/datacenters"];

/** What one Consul agent answers to a request. */
export function askConsul(consul: Consul, agent: ConsulAgent, request: Request): Reply {
  const given = consulRights(consul.options.tokens, request);
  const rights = given instanceof ConsulRights ? given : new ConsulRights({});
  const context: ConsulContext = { consul, agent, rights };
  const known = (consul.options.transferLeader ? newerRoutes : routes).map((each) =>
    given instanceof ConsulRights || OPEN.includes(each.path) ? each : { ...each, handle: () => given },
  );
  return route(known, context, request, {
    unknownPath: () => empty(404),
    wrongMethod: ({ method }) => text(405, `method ${method} not allowed`),
  });
}
