import { isUnknown, type Observation } from "../observation/observation.js";
import { asked, everyHost, type Condition, type Objection } from "./condition.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

/** The agents say which image and template they were made from, and EC2 says what was really started. */
export function imageConditions(observation: Observation, expected: Expected): Condition[] {
  const { image, hosts } = expected;
  const agents = asked("runs-image", observation.consul.catalog, (catalog) =>
    everyHost("runs-image", hosts, `says that it runs ${image}`, (host) => {
      const node = catalog.find(({ name }) => name === host);
      if (!node) return { unmet: "not in Consul's catalog" };
      return wrongMeta("Consul", node.meta, host, expected) ?? nomadMeta(host, observation, expected);
    }),
  );
  if (!expected.hasMachines) return [agents];
  return [
    agents,
    asked("machine-image", observation.machines, (machines) =>
      everyHost("machine-image", hosts, `was started from ${image}`, (host) => {
        const there = machines.filter((machine) => machine.host === host && machine.state === "running");
        const [machine] = there;
        if (!machine) return { unmet: "EC2 has no running machine of this name" };
        if (there.length > 1) {
          return {
            unmet: `EC2 has ${String(there.length)} running machines of this name: ${there.map(({ id }) => id).join(", ")}`,
          };
        }
        return machine.image === image
          ? undefined
          : { unmet: `${machine.id} was started from ${machine.image}, not from ${image}` };
      }),
    ),
  ];
}

function nomadMeta(host: string, observation: Observation, expected: Expected): Objection {
  if (expected.role !== "client") return undefined;
  const { nodes } = observation.nomad;
  if (isUnknown(nodes)) return nodes;
  const node = newNode(host, nodes, observation);
  return "id" in node ? wrongMeta("Nomad", node.meta, host, expected) : node;
}

function wrongMeta(
  agent: string,
  meta: Readonly<Record<string, string>>,
  host: string,
  { cluster, group, image, hash }: Expected,
): Objection {
  const wanted = {
    rollout_cluster: cluster,
    rollout_group: group,
    rollout_host: host,
    rollout_image: image,
    rollout_template_hash: hash,
  };
  const wrong = Object.entries(wanted)
    .filter(([key, value]) => meta[key] !== value)
    .map(([key, value]) => `${key} is ${meta[key] ?? "not there"}, not ${value}`);
  return wrong.length === 0
    ? undefined
    : { unmet: `in the metadata of its ${agent} agent ${wrong.join(", ")}` };
}
