import { isKnown } from "../observation/known.js";
import type { Observation } from "../observation/observation.js";
import { missingRights } from "../preflight/rights.js";
import { nextClientLeave } from "./client.js";
import { nextConsulServerLeave } from "./consul-server.js";
import { nextNomadServerLeave } from "./nomad-server.js";
import type { LeaveOrder } from "./order.js";
import { blocked, waitForAnswers, type Next, type NextLeave } from "./step.js";

const OF_ROLE = {
  client: nextClientLeave,
  "nomad-server": nextNomadServerLeave,
  "consul-server": nextConsulServerLeave,
} as const;

/**
 * What comes next until the machines of a group that go have left. It remembers nothing: whoever does a step observes
 * anew and asks again, also after a run that was cut off. Rights come first, since lists are empty without them.
 */
export function nextLeave(observation: Observation, order: LeaveOrder): NextLeave {
  return { notes: [], ...nextOf(observation, order) };
}

function nextOf(observation: Observation, order: LeaveOrder): Next {
  const lacking = missingRights(order.role, observation, "leave");
  if (lacking.length > 0) return blocked(lacking);
  const rights = {
    "rights in Nomad": observation.nomad.rights,
    "rights in Consul": observation.consul.rights,
  };
  const asked = order.role === "consul-server" ? { "rights in Consul": rights["rights in Consul"] } : rights;
  if (!isKnown(asked)) return waitForAnswers(asked);
  return OF_ROLE[order.role](observation, order);
}
