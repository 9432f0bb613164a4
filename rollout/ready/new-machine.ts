import { isUnknown, type NomadNode, type Observation } from "../observation/observation.js";
import type { Objection } from "./condition.js";

/** The id that a machine's own agent gives itself; else why it is not known. */
export function ownId(
  host: string,
  agent: "consul" | "nomad",
  { agents }: Observation,
): { readonly id: string } | Exclude<Objection, undefined> {
  const self = agents.find((one) => one.host === host);
  const answer = self?.[agent];
  const name = agent === "consul" ? "Consul" : "Nomad";
  if (answer === undefined) return { unknown: `its own ${name} agent was not asked` };
  if (isUnknown(answer)) return { unknown: `its own ${name} agent: ${answer.unknown}` };
  if (answer === "stopped") return { unmet: `its ${name} agent does not run` };
  return { id: "nodeId" in answer ? answer.nodeId : answer.id };
}

/** The node of the new machine: two records can stand under one name, the old one `ready` for up to 29 s. */
export function newNode(
  host: string,
  nodes: readonly NomadNode[],
  observation: Observation,
): NomadNode | Exclude<Objection, undefined> {
  const own = ownId(host, "nomad", observation);
  if (!("id" in own)) return own;
  const node = nodes.find(({ id }) => id === own.id);
  if (node && node.name !== host) return { unmet: `its node ${own.id} is called ${node.name}` };
  if (node) return node;
  const others = nodes.filter(({ name }) => name === host).map(({ id, status }) => `${id} (${status})`);
  return {
    unmet: `its node ${own.id} is not in Nomad's list${others.length > 0 ? `, only ${others.join(", ")}` : ""}`,
  };
}
