import type { Observation } from "../observation/observation.js";
import { asked, everyHost, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

/** The new clients may get work, and have what jobs ask of them. */
export function workConditions(observation: Observation, expected: Expected): Condition[] {
  const { hosts, attributes } = expected;
  const eligible = asked("nodes-eligible", observation.nomad.nodes, (nodes) =>
    everyHost("nodes-eligible", hosts, "may get work", (host) => {
      const node = newNode(host, nodes, observation, expected);
      if (!("id" in node)) return node;
      if (node.drain) return { unmet: `its node ${node.id} is draining` };
      return node.eligibility === "eligible" ? undefined : { unmet: `its node ${node.id} is ineligible` };
    }),
  );
  if (Object.keys(attributes).length === 0) return [eligible];
  return [
    eligible,
    asked("attributes-present", observation.nomad.nodes, (nodes) =>
      everyHost("attributes-present", hosts, "has the declared attributes", (host) => {
        const node = newNode(host, nodes, observation, expected);
        if (!("id" in node)) return node;
        const wrong = Object.entries(attributes)
          .filter(([key, value]) => node.attributes[key] !== value)
          .map(([key, value]) => `${key} is ${node.attributes[key] ?? "not there"}, not ${value}`);
        return wrong.length === 0 ? undefined : { unmet: wrong.join(", ") };
      }),
    ),
  ];
}
