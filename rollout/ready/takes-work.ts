import type { Observation } from "../observation/observation.js";
import { asked, everyHost, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

/** The new clients may get work. */
export const nodesEligible = (observation: Observation, { hosts }: Expected): Condition =>
  asked("nodes-eligible", observation.nomad.nodes, (nodes) =>
    everyHost("nodes-eligible", hosts, "may get work", (host) => {
      const node = newNode(host, nodes, observation);
      if (!("id" in node)) return node;
      if (node.drain) return { unmet: `its node ${node.id} is draining` };
      return node.eligibility === "eligible" ? undefined : { unmet: `its node ${node.id} is ineligible` };
    }),
  );
