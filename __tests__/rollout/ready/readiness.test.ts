import { describe, expect, test } from "@jest/globals";
import type { Expected } from "../../../rollout/ready/expected.js";
import { readiness } from "../../../rollout/ready/readiness.js";
import { formatCondition } from "../../../rollout/ready/timeout.js";
import { allocationOn, expecting, known, observed, pick, replaced, START, type World } from "../observed.js";

const brokers = (...edits: readonly ((world: World) => void)[]): World =>
  observed(replaced("broker-0-0"), replaced("broker-0-1"), ...edits);

const consul = (...edits: readonly ((world: World) => void)[]): World =>
  observed(newServer("consul-server-1-0"), ...edits);

const nomad = (...edits: readonly ((world: World) => void)[]): World =>
  observed(newServer("nomad-server-1-0"), ...edits);

const THREE = [
  { name: "answers", scope: "machine" },
  { name: "in-sync", scope: "machine" },
] as const;

/** When a check was tried, and that this is not too old. */
const NOW = { at: START - 5000, until: START };

const AT_ONCE = [
  { name: "balanced", scope: "group" },
  { name: "members", scope: "pool" },
] as const;

test("a new group of clients is ready when everything is as it has to be", () => {
  const expected = expecting("broker-0", {
    workload: "stays",
    hasLoadBalancer: true,
    hasMachines: true,
    checks: THREE,
  });
  const world = brokers((one) => {
    one.targets = ["broker-0-0", "broker-0-1"].map((host) => ({ host, state: "healthy" }));
    one.machines = ["broker-0-0", "broker-0-1"].map((host) => machine(host, "ami-0bbb"));
    one.checks = ["broker-0-0", "broker-0-1"].flatMap((host) =>
      THREE.map(({ name }) => ({ host, name, passed: true, value: "status 200", ...NOW })),
    );
  });
  const { passed, conditions, at } = readiness(world, expected);
  expect(conditions.filter(({ status }) => status !== "met")).toEqual([]);
  expect(conditions.map(({ name, value }) => `${name} ${value}`)).toEqual([
    "registered-in-consul 2 of 2",
    "registered-in-nomad 2 of 2",
    "runs-image 2 of 2",
    "machine-image 2 of 2",
    "nodes-eligible 2 of 2",
    "services-passing 2 of 2",
    "work-back 2 of 2",
    "targets-healthy 2 of 2",
    "check-answers 2 of 2",
    "check-in-sync 2 of 2",
  ]);
  expect([passed, at]).toEqual([true, START]);
});

test("checks have passed twice since the try before the last of whichever is the slowest", () => {
  const since = (...tries: readonly (number | undefined)[]): number => {
    const world = brokers((one) => {
      one.checks = tries.map((passedAt) => ({
        ...{ name: "answers", host: "broker-0-0", passed: true, value: "", ...NOW },
        ...(passedAt === undefined ? {} : { passedAt }),
      }));
    });
    return readiness(world, expecting("broker-0", { checks: THREE })).passedTwiceSince;
  };
  expect(since(START - 7000, START - 9000)).toBe(START - 9000);
  expect(since(START - 7000, undefined)).toBe(-Infinity);
  expect(since()).toBe(Infinity);
});

describe("the checks of a group that comes anew", () => {
  const judged = (role: "client" | "nomad-server", ...edits: readonly ((world: World) => void)[]) => {
    const refused = (one: World): void => {
      one.checks = [{ name: "answers", host: "broker-0-0", passed: false, value: "ECONNREFUSED", ...NOW }];
    };
    const expected = expecting("broker-0", { isNew: true, role, checks: THREE.slice(0, 1) });
    const { conditions, passedTwiceSince } = readiness(brokers(refused, ...edits), expected);
    const { status, reason, value } = conditions.find(({ name }) => name === "check-answers") ?? {};
    return [status, value, reason, passedTwiceSince];
  };
  const withoutWork = (one: World): void => {
    one.nomad.allocations = known(one.nomad.allocations).filter(({ job }) => job === "log");
  };
  const waits = ["unmet", "0 of 2", "broker-0-0: ECONNREFUSED", Infinity];

  test("hold nothing up as long as only what runs everywhere is placed on it, and say that they never passed", () => {
    expect(judged("client", withoutWork)).toEqual([
      "met",
      "0 of 2",
      "has never passed, and awaits its work: broker-0-0: ECONNREFUSED",
      Infinity,
    ]);
  });

  test("are waited for where the group has stood before", () => {
    const one = brokers(withoutWork);
    one.checks = [{ name: "answers", host: "broker-0-0", passed: false, value: "ECONNREFUSED", ...NOW }];
    expect(readiness(one, expecting("broker-0", { checks: THREE.slice(0, 1) })).passed).toBe(false);
  });

  test("are waited for once it has work, where nobody knows, and on servers, whose work is there at once", () => {
    expect(judged("client")).toEqual(waits);
    expect(judged("nomad-server", withoutWork)).toEqual(waits);
    const unknown = (one: World): void => {
      one.nomad.allocations = { unknown: "500 No cluster leader" };
    };
    expect(judged("client", unknown)).toEqual(waits);
  });
});

test.each([
  ["consul-server-1", consul()],
  ["nomad-server-1", nomad()],
])("a new server of %s is ready when it votes and another may fail", (group, world) => {
  const { passed, conditions } = readiness(world, expecting(group));
  expect(conditions.filter(({ status }) => status !== "met")).toEqual([]);
  expect(passed).toBe(true);
  expect(conditions.map(({ name, value }) => `${name} ${value}`)).toEqual([
    "registered-in-consul 1 of 1",
    ...(group.startsWith("nomad") ? ["registered-in-nomad 1 of 1"] : []),
    "runs-image 1 of 1",
    "new-id-votes 1 of 1",
    "voters 3 of 3",
    "failure-tolerance 1",
    "servers-stable 3 of 3",
    "services-passing 1 of 1",
  ]);
});

test.each<[string, string, World, Partial<Expected>, string]>([
  [
    "a catalog that keeps the old id",
    "broker-0",
    brokers((one) => {
      pick(one.consul.catalog, "broker-0-1").id = "broker-0-1-consul";
    }),
    {},
    "registered-in-consul (1 of 2): broker-0-1: Consul's catalog has the id broker-0-1-consul, the agent says broker-0-1-consul-new; if this stays so, deregister the node broker-0-1",
  ],
  [
    "a host that is not in the catalog",
    "broker-0",
    brokers((one) => {
      one.consul.catalog = known(one.consul.catalog).filter(({ name }) => name !== "broker-0-1");
    }),
    {},
    "registered-in-consul (1 of 2): broker-0-1: not in Consul's catalog\nruns-image (1 of 2): broker-0-1: not in Consul's catalog",
  ],
  [
    "an agent that is not alive",
    "broker-0",
    brokers((one) => {
      pick(one.consul.members, "broker-0-0").status = "failed";
    }),
    {},
    "registered-in-consul (1 of 2): broker-0-0: its Consul agent is failed",
  ],
  [
    "the old record, which is ready for some seconds yet",
    "broker-0",
    brokers((one) => {
      one.nomad.nodes = known(one.nomad.nodes).filter(({ id }) => id !== "broker-0-0-node-new");
      pick(one.nomad.nodes, "broker-0-0-node").status = "ready";
    }),
    {},
    [
      "registered-in-nomad (1 of 2): broker-0-0: its node broker-0-0-node-new is not in Nomad's list, only broker-0-0-node (ready)",
      "runs-image (1 of 2): broker-0-0: its node broker-0-0-node-new is not in Nomad's list, only broker-0-0-node (ready)",
      "nodes-eligible (1 of 2): broker-0-0: its node broker-0-0-node-new is not in Nomad's list, only broker-0-0-node (ready)",
    ].join("\n"),
  ],
  [
    "the old record beside the new one, which the next group's preflight would take for a second machine",
    "broker-0",
    brokers((one) => {
      pick(one.nomad.nodes, "broker-0-0-node").status = "ready";
    }),
    {},
    "registered-in-nomad (1 of 2): broker-0-0: the record broker-0-0-node of its old machine is still ready",
  ],
  [
    "a node that is not ready",
    "broker-0",
    brokers((one) => {
      pick(one.nomad.nodes, "broker-0-0-node-new").status = "initializing";
    }),
    {},
    "registered-in-nomad (1 of 2): broker-0-0: its node broker-0-0-node-new is initializing",
  ],
  [
    "a node of another name",
    "broker-0",
    brokers((one) => {
      pick(one.nomad.nodes, "broker-0-0-node-new").name = "localhost";
    }),
    {},
    [
      "registered-in-nomad (1 of 2): broker-0-0: its node broker-0-0-node-new is called localhost",
      "runs-image (1 of 2): broker-0-0: its node broker-0-0-node-new is called localhost",
      "nodes-eligible (1 of 2): broker-0-0: its node broker-0-0-node-new is called localhost",
    ].join("\n"),
  ],
  [
    "an agent that does not run",
    "broker-0",
    brokers((one) => {
      pick(one.agents, "broker-0-0").consul = "stopped";
    }),
    {},
    "registered-in-consul (1 of 2): broker-0-0: its Consul agent does not run",
  ],
  [
    "agents that could not be asked, told apart from what failed",
    "broker-0",
    brokers((one) => {
      pick(one.agents, "broker-0-0").consul = { unknown: "ssh: connection refused" };
      one.agents = one.agents.filter(({ host }) => host !== "broker-0-1");
    }),
    {},
    [
      "registered-in-consul (unknown, 0 of 2): broker-0-0: its own Consul agent: ssh: connection refused; broker-0-1: its own Consul agent was not asked",
      "registered-in-nomad (unknown, 1 of 2): broker-0-1: its own Nomad agent was not asked",
      "runs-image (unknown, 1 of 2): broker-0-1: its own Nomad agent was not asked",
      "nodes-eligible (unknown, 1 of 2): broker-0-1: its own Nomad agent was not asked",
    ].join("\n"),
  ],
  [
    "metadata of another image, in Consul and in Nomad",
    "broker-0",
    brokers((one) => {
      pick(one.consul.catalog, "broker-0-0").meta["rollout_image"] = "ami-0aaa";
      pick(one.nomad.nodes, "broker-0-1-node-new").meta = {};
    }),
    {},
    "runs-image (0 of 2): broker-0-0: in the metadata of its Consul agent rollout_image is ami-0aaa, not ami-0bbb; broker-0-1: in the metadata of its Nomad agent rollout_cluster is not there, not demo, rollout_group is not there, not broker-0, rollout_host is not there, not broker-0-1, rollout_image is not there, not ami-0bbb, rollout_template_hash is not there, not 0000000002",
  ],
  [
    "a machine that EC2 started from another image, although its metadata say otherwise",
    "broker-0",
    brokers((one) => {
      one.machines = [machine("broker-0-0", "ami-0aaa"), machine("broker-0-1", "ami-0bbb")];
    }),
    { hasMachines: true },
    "machine-image (1 of 2): broker-0-0: i-broker-0-0 was started from ami-0aaa, not from ami-0bbb",
  ],
  [
    "machines that are not there, or there twice",
    "broker-0",
    brokers((one) => {
      one.machines = [
        { ...machine("broker-0-0", "ami-0bbb"), state: "pending" },
        machine("broker-0-1", "ami-0bbb"),
        { ...machine("broker-0-1", "ami-0bbb"), id: "i-2" },
      ];
    }),
    { hasMachines: true },
    "machine-image (0 of 2): broker-0-0: EC2 has no running machine of this name; broker-0-1: EC2 has 2 running machines of this name: i-broker-0-1, i-2",
  ],
  [
    "nodes that may not get work",
    "broker-0",
    brokers((one) => {
      pick(one.nomad.nodes, "broker-0-0-node-new").eligibility = "ineligible";
      pick(one.nomad.nodes, "broker-0-1-node-new").drain = { deadlineAt: null };
    }),
    {},
    "nodes-eligible (0 of 2): broker-0-0: its node broker-0-0-node-new is ineligible; broker-0-1: its node broker-0-1-node-new is draining",
  ],
  [
    "services that do not pass, and hosts that no check is listed of",
    "broker-0",
    brokers((one) => {
      one.consul.health = [
        { node: "broker-0-0", id: "serfHealth", service: "", status: "passing" },
        { node: "broker-0-0", id: "service:mq", service: "mq", status: "warning" },
        { node: "broker-0-0", id: "_node_maintenance", service: "", status: "critical" },
      ];
    }),
    {},
    "services-passing (0 of 2): broker-0-0: _node_maintenance is critical, mq (service:mq) is warning; broker-0-1: Consul lists no check of it",
  ],
  [
    "work that stays and is not back, or not well",
    "broker-0",
    brokers((one) => {
      const list = known(one.nomad.allocations);
      pick(list, "broker-0-0-node-new").healthy = false;
      one.nomad.allocations = list.filter(({ node }) => node !== "broker-0-1-node-new");
    }),
    { workload: "stays" },
    "work-back (0 of 2): broker-0-0: default/web.g is running, not healthy; broker-0-1: default/web.g is not back",
  ],
  [
    "work that stays and is pending",
    "broker-0",
    brokers((one) => {
      pick(known(one.nomad.allocations), "broker-0-0-node-new").clientStatus = "pending";
    }),
    { workload: "stays" },
    "work-back (1 of 2): broker-0-0: default/web.g is pending",
  ],
  [
    "an empty list of allocations as a proof, without the right to read jobs",
    "broker-0",
    brokers((one) => {
      one.nomad.rights = ["node:read"];
      one.nomad.allocations = [];
      one.nomad.jobs = [];
    }),
    { workload: "stays" },
    "work-back (no right): the token lacks the right read-job, so an empty list of allocations proves nothing",
  ],
  [
    "hosts that the load balancer does not know, or only their predecessors, or finds unhealthy",
    "broker-0",
    brokers((one) => {
      one.targets = [
        { host: "broker-0-0", state: "draining" },
        { host: "broker-0-1", state: "unhealthy", reason: "Target.FailedHealthChecks" },
      ];
    }),
    { hasLoadBalancer: true },
    "targets-healthy (0 of 2): broker-0-0: not registered at the load balancer; broker-0-1: unhealthy (Target.FailedHealthChecks) at the load balancer",
  ],
  [
    "the pool's own checks that fail on one machine, or have not run",
    "broker-0",
    brokers((one) => {
      one.checks = [
        { name: "answers", host: "broker-0-0", passed: true, value: "status 200", ...NOW },
        { name: "answers", host: "broker-0-1", passed: false, value: "status 503", ...NOW },
        { name: "in-sync", host: "broker-0-0", passed: true, value: "exit code 0", ...NOW },
      ];
    }),
    { checks: THREE },
    "check-answers (1 of 2): broker-0-1: status 503\ncheck-in-sync (unknown, 1 of 2): broker-0-1: not run yet",
  ],
  [
    "a check whose next try hangs, whatever it said before",
    "broker-0",
    brokers((one) => {
      one.checks = [
        { name: "answers", host: "broker-0-0", passed: true, value: "status 200", at: 0, until: START - 1 },
        { name: "answers", host: "broker-0-1", passed: true, value: "status 200", ...NOW },
      ];
    }),
    { checks: THREE.slice(0, 1) },
    "check-answers (unknown, 1 of 2): broker-0-0: its last answer is too old: status 200",
  ],
  [
    "checks of the group and of the pool",
    "broker-0",
    brokers((world) => {
      world.checks = [
        { name: "balanced", host: "broker-0-0", passed: true, value: "another's", ...NOW },
        { name: "members", host: "broker", passed: false, value: "8 of 9", ...NOW },
      ];
    }),
    { checks: AT_ONCE },
    "check-balanced (unknown, 0 of 1): broker-0: not run yet\ncheck-members (0 of 1): broker: 8 of 9",
  ],
  [
    "a group without hosts",
    "broker-0",
    brokers(),
    { hosts: [] },
    [
      "registered-in-consul (0 of 0): the group has no host",
      "registered-in-nomad (0 of 0): the group has no host",
      "runs-image (0 of 0): the group has no host",
      "nodes-eligible (0 of 0): the group has no host",
      "services-passing (0 of 0): the group has no host",
    ].join("\n"),
  ],
  [
    "lists that could not be asked",
    "broker-0",
    brokers((one) => {
      one.consul.catalog = { unknown: "500 No cluster leader" };
      one.nomad.nodes = { unknown: "403 Permission denied" };
    }),
    {},
    [
      "registered-in-consul (unknown): 500 No cluster leader",
      "registered-in-nomad (unknown): 403 Permission denied",
      "runs-image (unknown): 500 No cluster leader",
      "nodes-eligible (unknown): 403 Permission denied",
    ].join("\n"),
  ],
  [
    "a server that is in raft and does not vote, although autopilot says Healthy",
    "consul-server-1",
    consul((one) => {
      pick(one.consul.raft, "consul-server-1-0").voter = false;
      pick(known(one.consul.autopilot).servers, "consul-server-1-0").voter = false;
    }),
    {},
    "new-id-votes (0 of 1): consul-server-1-0: new-id is in the raft configuration and does not vote\nvoters (2 of 3): 2 of 3 peers vote in raft, 2 for autopilot; 3 are declared",
  ],
  [
    "an autopilot that still shows the old id",
    "consul-server-1",
    consul((one) => {
      pick(known(one.consul.autopilot).servers, "consul-server-1-0").id = "consul-server-1-0-id";
    }),
    {},
    "new-id-votes (0 of 1): consul-server-1-0: new-id is no voter for autopilot, which lags by some seconds\nservers-stable (3 of 3): autopilot and raft do not name the same servers (autopilot lags by some seconds)",
  ],
  [
    "a server that is not in raft, although two voters are Healthy with a leader",
    "nomad-server-1",
    nomad((one) => {
      one.nomad.raft = known(one.nomad.raft).filter(({ id }) => id !== "new-id");
      const autopilot = known(one.nomad.autopilot);
      autopilot.servers = autopilot.servers.filter(({ id }) => id !== "new-id");
      autopilot.failureTolerance = 0;
    }),
    {},
    [
      "new-id-votes (0 of 1): nomad-server-1-0: new-id is not in the raft configuration",
      "voters (2 of 3): 2 of 2 peers vote in raft, 2 for autopilot; 3 are declared",
      "failure-tolerance (0): no other server may fail",
      "servers-stable (2 of 3): 2 of 3 servers are healthy",
    ].join("\n"),
  ],
  [
    "a fourth peer, which is a dead one",
    "nomad-server-1",
    nomad((one) => {
      known(one.nomad.raft).push({
        id: "dead",
        name: "(unknown)",
        address: "10.0.9.1:4647",
        voter: true,
        leader: false,
      });
    }),
    {},
    "voters (4 of 3): 4 of 4 peers vote in raft, 3 for autopilot; 3 are declared; raft alone knows a peer of (unknown): if this stays so: nomad operator raft remove-peer -peer-id=dead\nservers-stable (3 of 3): autopilot and raft do not name the same servers (autopilot lags by some seconds)",
  ],
  [
    "servers that are not healthy, or that nobody leads",
    "nomad-server-1",
    nomad((one) => {
      known(one.nomad.autopilot).healthy = false;
      pick(known(one.nomad.autopilot).servers, "nomad-server-2-0.global").healthy = false;
    }),
    {},
    "servers-stable (2 of 3): not healthy: nomad-server-2-0.global",
  ],
  [
    "servers that nobody leads",
    "nomad-server-1",
    nomad((one) => {
      for (const peer of known(one.nomad.raft)) peer.leader = false;
    }),
    {},
    "servers-stable (3 of 3): no server leads",
  ],
  [
    "a whole that is not healthy although every server is",
    "nomad-server-1",
    nomad((one) => {
      known(one.nomad.autopilot).healthy = false;
    }),
    {},
    "servers-stable (3 of 3): autopilot does not call the whole healthy",
  ],
  [
    "a Nomad server that is a member under another id",
    "nomad-server-1",
    nomad((one) => {
      pick(one.nomad.members, "nomad-server-1-0.global").id = "nomad-server-1-0-id";
    }),
    {},
    "registered-in-nomad (0 of 1): nomad-server-1-0: Nomad's members have the id nomad-server-1-0-id, the agent says new-id",
  ],
  [
    "a Nomad server that is leaving",
    "nomad-server-1",
    nomad((one) => {
      pick(one.nomad.members, "nomad-server-1-0.global").status = "leaving";
    }),
    {},
    "registered-in-nomad (0 of 1): nomad-server-1-0: its Nomad server is leaving",
  ],
  [
    "an autopilot that could not be asked",
    "nomad-server-1",
    nomad((one) => {
      one.nomad.autopilot = { unknown: "500 No cluster leader" };
    }),
    {},
    ["new-id-votes", "voters", "failure-tolerance", "servers-stable"]
      .map((name) => `${name} (unknown): autopilot: 500 No cluster leader`)
      .join("\n"),
  ],
])("refuses %s", (_, group, world, more, text) => {
  const { passed, conditions } = readiness(world, expecting(group, more));
  expect(
    conditions
      .filter(({ status }) => status !== "met")
      .map(formatCondition)
      .join("\n"),
  ).toBe(text);
  expect(passed).toBe(false);
});

test("a record that Nomad leaves disconnected for good holds no gate, once its machine is proven gone", () => {
  const world = brokers((one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "disconnected";
  });
  expect(readiness(world, expecting("broker-0")).passed).toBe(true);
  world.machines = [machine("broker-0-0", "ami-0bbb"), { ...machine("broker-0-0", "ami-0aaa"), id: "i-old" }];
  expect(readiness(world, expecting("broker-0")).passed).toBe(false);
});

test("a canary is no work that is waited for", () => {
  const world = brokers((one) => {
    const list = known(one.nomad.allocations);
    list.push({
      ...allocationOn("broker-0-0", "next", "broker-0-0-node-new"),
      healthy: false,
      isCanary: true,
    });
    list.push({ ...allocationOn("broker-0-0", "canary"), clientStatus: "complete", isCanary: true });
    known(one.nomad.jobs).push({ ...pick(one.nomad.jobs, "web"), id: "canary" });
  });
  const expected = expecting("broker-0", { workload: "stays" });
  expect(readiness(world, expected).passed).toBe(true);
  for (const one of known(world.nomad.allocations)) delete one.isCanary;
  expect(readiness(world, expected).conditions.find(({ name }) => name === "work-back")?.reason).toBe(
    "broker-0-0: default/canary.g is not back, default/next.g is running, not healthy",
  );
});

test("work of a job that is gone, stopped, or not a service need not be back", () => {
  const world = brokers((one) => {
    known(one.nomad.jobs).push(
      {
        id: "stopped",
        namespace: "default",
        type: "service",
        groups: [{ name: "g", desired: 0, running: 0, healthy: 0 }],
      },
      {
        id: "night",
        namespace: "default",
        type: "batch",
        groups: [{ name: "g", desired: 1, running: 0, healthy: 0 }],
      },
      {
        id: "gone",
        namespace: "other",
        type: "service",
        groups: [{ name: "g", desired: 1, running: 1, healthy: 1 }],
      },
    );
    for (const job of ["stopped", "night", "gone"]) {
      known(one.nomad.allocations).push({ ...allocationOn("broker-0-0", job), clientStatus: "complete" });
    }
    const batch = allocationOn("broker-0-0", "night", "broker-0-0-node-new");
    known(one.nomad.allocations).push({ ...batch, clientStatus: "complete" });
  });
  expect(readiness(world, expecting("broker-0", { workload: "stays" })).passed).toBe(true);
});

/** A server that came back empty under its old name, and votes. */
function newServer(host: string) {
  return (world: World): void => {
    replaced(host)(world);
    const side = host.startsWith("consul") ? world.consul : world.nomad;
    const name = host.startsWith("consul") ? host : `${host}.global`;
    pick(side.raft, name).id = "new-id";
    pick(known(side.autopilot).servers, name).id = "new-id";
    if (host.startsWith("consul")) {
      pick(world.consul.catalog, host).id = "new-id";
      pick(world.agents, host).consul = { nodeId: "new-id" };
    } else {
      pick(world.nomad.members, name).id = "new-id";
      pick(world.agents, host).nomad = { id: "new-id" };
    }
  };
}

function machine(host: string, image: string) {
  return {
    host,
    id: `i-${host}`,
    image,
    state: "running" as const,
  };
}
