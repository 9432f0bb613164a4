import { isHostOf } from "../observation/host-of.js";
import { isDeadRecord } from "../observation/machine.js";
import { isUnknown, type NomadNode, type Observation } from "../observation/observation.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

/**
 * The records of dead machines that may be purged once a group is ready: nodes of its hosts' names that are down, or whose
 * machine is proven gone, and that the present machine proves not to be its own. A live node is never among them: purging one
 * loses its work at once.
 */
export const deadRecords = (observation: Observation, expected: Expected): NomadNode[] =>
  oldRecords(observation, expected, true);

/** The records of machines that are gone and are not dead yet: Nomad needs up to 29 s to see that. */
export const dyingRecords = (observation: Observation, expected: Expected): NomadNode[] =>
  oldRecords(observation, expected, false);

function oldRecords(observation: Observation, expected: Expected, isDead: boolean): NomadNode[] {
  const { nodes } = observation.nomad;
  if (expected.role !== "client" || isUnknown(nodes)) return [];
  return nodes.filter((node) => {
    if (isDeadRecord(node, nodes, observation.machines) !== isDead) return false;
    if (!isHostOf(expected.group, node.name) || expected.laterHosts?.includes(node.name)) return false;
    if (!expected.hosts.includes(node.name)) return true;
    const present = newNode(node.name, nodes, observation);
    return "id" in present && present.id !== node.id;
  });
}
