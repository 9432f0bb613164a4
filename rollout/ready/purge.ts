import { isHostOf } from "../host-of.js";
import { isUnknown, type NomadNode, type Observation } from "../observation.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

/**
 * The records of dead machines that may be purged once a group is ready: nodes of its hosts' names that are down, and
 * that the present machine proves not to be its own. A live node is never among them: purging one loses its work at once.
 */
export function deadRecords(observation: Observation, expected: Expected): NomadNode[] {
  const { nodes } = observation.nomad;
  if (expected.role !== "client" || isUnknown(nodes)) return [];
  return nodes.filter((node) => {
    if (!isHostOf(expected.group, node.name) || node.status !== "down") return false;
    if (!expected.hosts.includes(node.name)) return true;
    const present = newNode(node.name, nodes, observation, expected);
    return "id" in present && present.id !== node.id;
  });
}
