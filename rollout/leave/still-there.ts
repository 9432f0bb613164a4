import { isKnown, unknowns } from "../observation/known.js";
import { drainOf } from "./drain.js";
import { isMachineEnded } from "../observation/machine.js";
import { type NomadNode, type Observation } from "../observation/observation.js";

/** The nodes of clients of which none has left Consul or gone: what ends their drain is enough. Else why it is not. */
export function stillThere(
  { consul, nomad, machines }: Observation,
  hosts: readonly string[],
): readonly NomadNode[] | string {
  const known = { nodes: nomad.nodes, members: consul.members };
  if (!isKnown(known)) return unknowns(known).join(", ");
  const own = known.nodes.filter(({ name, status }) => hosts.includes(name) && status === "ready");
  const isAlive = (host: string): boolean =>
    known.members.some(({ name, status }) => name === host && status === "alive");
  const gone = hosts.filter(
    (host) => !isAlive(host) || isMachineEnded(machines, host) || !own.some(({ name }) => name === host),
  );
  return gone.length === 0 ? own : `${gone.join(", ")} ${gone.length === 1 ? "has" : "have"} left or died`;
}

/**
 * The clients of which none has left, ended or been drained; where nobody knows, that is all of them. One that is not heard of
 * for a moment has not left.
 */
export function atWork(observation: Observation, hosts: readonly string[]): string[] {
  const known = { nodes: observation.nomad.nodes, members: observation.consul.members };
  if (!isKnown(known)) return [...hosts];
  return hosts.filter((host) => {
    const status = known.members.find(({ name }) => name === host)?.status;
    const isThere = status === "alive" || status === "failed";
    const own = known.nodes.filter((node) => node.name === host && node.status === "ready");
    return (
      isThere && !isMachineEnded(observation.machines, host) && own.every((node) => drainOf(node) === "none")
    );
  });
}
