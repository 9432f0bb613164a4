import { withoutRegion } from "../observation/host-of.js";
import { isDeadRecord } from "../observation/machine.js";
import type { Observation } from "../observation/observation.js";
import { asked, everyHost, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";
import { newNode, ownId } from "./new-machine.js";

/**
 * The new machines are known under their new ids. The catalog may keep the id of a machine that was killed and came
 * back empty: members show it alive then, and its services are never found.
 */
export function registeredConditions(observation: Observation, expected: Expected): Condition[] {
  return [inConsul(observation, expected), ...inNomad(observation, expected)];
}

function inConsul(observation: Observation, expected: Expected): Condition {
  const name = "registered-in-consul";
  const { members, catalog } = observation.consul;
  return asked(name, members, (agents) =>
    asked(name, catalog, (nodes) =>
      everyHost(name, expected.hosts, "is in Consul's catalog under its new id", (host) => {
        const own = ownId(host, "consul", observation);
        if (!("id" in own)) return own;
        const status = agents.find((member) => member.name === host)?.status ?? "no member";
        if (status !== "alive") return { unmet: `its Consul agent is ${status}` };
        const node = nodes.find((one) => one.name === host);
        if (!node) return { unmet: "not in Consul's catalog" };
        return node.id === own.id
          ? undefined
          : {
              unmet: `Consul's catalog has the id ${node.id}, the agent says ${own.id}; if this stays so, deregister the node ${host}`,
            };
      }),
    ),
  );
}

function inNomad(observation: Observation, expected: Expected): Condition[] {
  const name = "registered-in-nomad";
  if (expected.role === "consul-server") return [];
  const { machines } = observation;
  const { nodes, members } = observation.nomad;
  if (expected.role === "client") {
    return [
      asked(name, nodes, (list) =>
        everyHost(name, expected.hosts, "is a ready node under its new id", (host) => {
          const node = newNode(host, list, observation);
          if (!("id" in node)) return node;
          if (node.status !== "ready") return { unmet: `its node ${node.id} is ${node.status}` };
          // Until then the next group is refused, and nobody could purge the record.
          const old = list.find(
            (one) => one.name === host && one.id !== node.id && !isDeadRecord(one, list, machines),
          );
          return old && { unmet: `the record ${old.id} of its old machine is still ${old.status}` };
        }),
      ),
    ];
  }
  return [
    asked(name, members, (list) =>
      everyHost(name, expected.hosts, "is an alive member under its new id", (host) => {
        const own = ownId(host, "nomad", observation);
        if (!("id" in own)) return own;
        const member = list.find((one) => withoutRegion(one.name) === host);
        if (member?.status !== "alive")
          return { unmet: `its Nomad server is ${member?.status ?? "no member"}` };
        return member.id === own.id
          ? undefined
          : { unmet: `Nomad's members have the id ${member.id}, the agent says ${own.id}` };
      }),
    ),
  ];
}

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
