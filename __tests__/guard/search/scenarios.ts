/** Which of the clusters that stand a case starts from. */
export type Base = "standing" | "rolled" | "emptied";

/** What is synthesized before it is edited. */
export interface Scenario {
  readonly view: string;
  /** Default: `standing`. */
  readonly base?: Base;
  /** Texts of the spec that are replaced, `# broker` for instance. */
  readonly spec?: readonly (readonly [from: string, to: string])[];
  /** Hosts that wait for a later batch. */
  readonly waiting?: readonly string[];
  readonly options?: readonly string[];
  /** Members that the state has lost: a roll that was cut off. */
  readonly cut?: RegExp;
}

/** A cluster of everything that a pool can have. The comments are what scenarios replace. */
export const SPEC = `name: demo
platform: local
local: { agents: none }
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] } # consul
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] } # nomad
  broker:
    images: [v1, v1, v1] # broker
    instanceTypes: [small, small, small]
    hosts: [2, 1, 1]
    dataVolumes: [{ sizeGib: 10 }, { sizeGib: 10 }, { sizeGib: 10 }]
    loadBalancer: { port: 9876 }
rollout: { ownResources: [zone] }
`;

const BROKER_0 = ["[v1, v1, v1] # broker", "[v2, v1, v1] # broker"] as const;
const QUEUE = ["rollout: {", "rollout: { pendingGroups: queue,"] as const;
const RETIRE = ["hosts: [2, 1, 1]", "retire: keep-volumes\n    hosts: [2, 1, 1]"] as const;

/** The cluster once more: all of a second kind of client, for the first time. */
const NAME_SERVER = `  name-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
rollout:`;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "roll clients": { view: "broker-0", spec: [BROKER_0] },
  "roll a Consul server": {
    view: "consul-server-1",
    spec: [["consul-server: { images: [v1, v1, v1]", "consul-server: { images: [v1, v2, v1]"]],
  },
  "roll a Nomad server": {
    view: "nomad-server-2",
    spec: [["nomad-server: { images: [v1, v1, v1]", "nomad-server: { images: [v1, v1, v2]"]],
  },
  "roll one of two": {
    view: "broker-1",
    spec: [["[v1, v1, v1] # broker", "[v2, v2, v1] # broker"], QUEUE],
  },
  "roll a second one": {
    view: "broker-1",
    base: "rolled",
    spec: [["[v2, v1, v1] # broker", "[v2, v2, v1] # broker"]],
  },
  "roll a first batch": {
    view: "broker-0",
    spec: [BROKER_0],
    waiting: ["broker-0-1"],
    options: ["-var=rollout_gate=closed"],
  },
  "nothing in a group": { view: "broker-1" },
  "nothing in the cluster": { view: "cluster" },
  "a group grows": { view: "broker-1", spec: [["hosts: [2, 1, 1]", "hosts: [2, 2, 1]"]] },
  "a group shrinks": { view: "broker-0", spec: [["hosts: [2, 1, 1]", "hosts: [1, 1, 1]"]] },
  "larger disks": { view: "broker-0", spec: [["[{ sizeGib: 10 }", "[{ sizeGib: 20 }"]] },
  "a new pool": { view: "cluster", spec: [["rollout:", NAME_SERVER]] },
  "another port": { view: "cluster", spec: [["port: 9876", "port: 9877"]] },
  "a roll goes on": { view: "broker-0", spec: [BROKER_0], cut: /^broker-0-(leave|ready|\d|\d-(?!data$).*)$/ },
  "a roll goes on elsewhere": { view: "broker-1", spec: [BROKER_0], cut: /^broker-0-(leave|ready)$/ },
  "a group retires": { view: "broker-0", spec: [RETIRE] },
  "a pool has retired": { view: "cluster", base: "emptied", spec: [RETIRE] },
};
