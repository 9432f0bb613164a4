import { empty, text, type Reply, type Request } from "../../answer.js";
import { route } from "../../router.js";
import { nomadRights } from "../access.js";
import type { NomadAgent } from "../agent.js";
import type { Nomad } from "../nomad.js";
import { aclRoutes } from "./acl-routes.js";
import { agentRoutes } from "./agent-routes.js";
import { jobRoutes } from "./job-routes.js";
import { nodeRoutes } from "./node-routes.js";
import { operatorRoutes } from "./operator-routes.js";

const routes = [...agentRoutes, ...nodeRoutes, ...jobRoutes, ...operatorRoutes, ...aclRoutes];

/** What one Nomad agent answers to a request. */
export function askNomad(nomad: Nomad, agent: NomadAgent, request: Request): Reply {
  const context = { nomad, agent, rights: nomadRights(nomad.options.tokens, request) };
  return route(routes, context, request, {
    unknownPath: () => empty(404),
    wrongMethod: () => text(405, "Invalid method"),
  });
}
