import { describe, expect, test } from "@jest/globals";
import { formatFinding } from "../../../rollout/preflight/finding.js";
import { isWorthWaiting, preflight, type PreflightInput } from "../../../rollout/preflight/preflight.js";
import type { ClusterGroup } from "../../../rollout/ready/expected.js";
import { CONSUL_RIGHTS, NOMAD_RIGHTS } from "../../../rollout/observation/observation.js";
import { BROKERS, groupOfHost, known, observed, pick, replaced, type World } from "../observed.js";

test.each(["broker-0", "nomad-server-0", "consul-server-2"])(
  "%s of a whole cluster may be rolled",
  (group) => {
    expect(preflight(observed(), inputFor(group))).toEqual({ refusals: [], warnings: [] });
  },
);

test("the group's own state speaks against nothing: it may be half gone, and is finished", () => {
  const world = observed((one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "down";
    pick(one.consul.members, "broker-0-0").status = "failed";
    pick(one.nomad.nodes, "broker-0-1-node").eligibility = "ineligible";
  });
  const own = [{ group: "broker-0", reasons: ["terraform_data.broker-0-leave is missing"] }];
  expect(preflight(world, inputFor("broker-0", { inFlight: own })).refusals).toEqual([]);
});

test("a dead record beside a live node is no harm", () => {
  const world = observed(replaced("broker-1-0"));
  expect(preflight(world, inputFor("broker-0")).refusals).toEqual([]);
  pick(world.nomad.nodes, "broker-1-0-node").status = "disconnected";
  expect(preflight(world, inputFor("broker-0")).refusals).toEqual([]);
});

test("refuses with everything that speaks against it at once", () => {
  const world = observed((one) => {
    one.nomad.rights = NOMAD_RIGHTS.filter((right) => right !== "read-job");
    pick(one.nomad.nodes, "broker-1-0-node").eligibility = "ineligible";
    pick(one.nomad.nodes, "broker-1-1-node").drain = { deadlineAt: null };
    pick(one.nomad.nodes, "broker-2-0-node").status = "down";
    pick(one.consul.members, "broker-2-0").status = "failed";
    pick(one.consul.members, "consul-server-1-0").status = "left";
    pick(one.nomad.members, "nomad-server-1-0.global").status = "failed";
  });
  const inFlight = [{ group: "broker-2", reasons: ["aws_instance.broker-2-0 is tainted"] }];
  expect(refusals(world, inputFor("broker-0", { inFlight }))).toMatchInlineSnapshot(`
   "NOMAD_TOKEN: lacks the right read-job (in every namespace: without it lists of allocations are empty, which looks like a drain that is done); use a token whose policy allows it
   broker-2: is in flight: aws_instance.broker-2-0 is tainted; finish it first: npx rollout deploy broker-2
   consul-server-1-0: is not well, and consul-server-1 is a group of another pool: its Consul agent is left; make consul-server-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy consul-server-1), or where it is to stay as it is: sudo systemctl start consul on consul-server-1-0
   nomad-server-1-0: is not well, and nomad-server-1 is a group of another pool: its Nomad server is failed; make nomad-server-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy nomad-server-1), or where it is to stay as it is: sudo systemctl start nomad on nomad-server-1-0
   broker-1-0: is not well, and broker-1 is a group of the same pool: its node is ineligible; make broker-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy broker-1), or where it is to stay as it is: nomad node eligibility -enable broker-1-0-node
   broker-1-1: is not well, and broker-1 is a group of the same pool: its node is draining; make broker-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy broker-1), or where it is to stay as it is: nomad node drain -disable broker-1-1-node
   broker-2-0: is not well, and broker-2 is a group of the same pool: its Consul agent is failed, its node is down; make broker-2 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy broker-2), or where it is to stay as it is: sudo systemctl start consul on broker-2-0, and sudo systemctl start nomad on broker-2-0
   broker-0: 2 of default/web.g leave, and 0 of 0 other nodes may have it; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"
  `);
});

test("refuses a Consul server too while nobody may look at Nomad's nodes", () => {
  const world = observed((one) => {
    one.nomad.rights = [];
  });
  expect(refusals(world, inputFor("consul-server-0"))).toBe(
    "NOMAD_TOKEN: lacks the right node:read (to see the nodes and the members); use a token whose policy allows it",
  );
});

test("refuses without the rights that only the gate needs, before anything leaves", () => {
  const world = observed((one) => {
    one.nomad.rights = NOMAD_RIGHTS.filter((right) => right !== "agent:read" && right !== "list-jobs");
    one.consul.rights = CONSUL_RIGHTS.filter((right) => right !== "service:read");
  });
  expect(refusals(world, inputFor("broker-0"))).toBe(
    "NOMAD_TOKEN: lacks the right list-jobs (in every namespace: to see whether work that has left runs elsewhere); use a token whose policy allows it\n" +
      "NOMAD_TOKEN: lacks the right agent:read (to see who a machine's own agent is); use a token whose policy allows it\n" +
      "CONSUL_HTTP_TOKEN: lacks the right service:read (to see the health of services, which is empty without it); use a token whose policy allows it",
  );
});

test("refuses a token that is not known, once for each, and does not look again", () => {
  const world = observed((one) => {
    one.nomad.rights = { unknown: "Nomad does not know this token", refused: true };
    one.consul.rights = { unknown: "Consul does not know this token", refused: true };
  });
  expect(refusals(world, inputFor("broker-0"))).toBe(
    "NOMAD_TOKEN: Nomad does not know this token; waiting does not change that\n" +
      "CONSUL_HTTP_TOKEN: Consul does not know this token; waiting does not change that",
  );
  expect(isWorthWaiting(preflight(world, inputFor("broker-0")), 0)).toBe(false);
});

test("refuses while nodes of another group are missing, twice alive or not ready", () => {
  const world = observed((one) => {
    one.nomad.nodes = known(one.nomad.nodes).filter(({ name }) => name !== "broker-1-0");
    known(one.nomad.nodes).push({ ...pick(one.nomad.nodes, "broker-1-1-node"), id: "other" });
    pick(one.nomad.nodes, "broker-2-0-node").status = "disconnected";
  });
  expect(refusals(world, inputFor("broker-0"))).toMatchInlineSnapshot(`
   "broker-1-0: is not well, and broker-1 is a group of the same pool: Nomad has no node of this name; make broker-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy broker-1), or where it is to stay as it is: sudo systemctl start nomad on broker-1-0
   broker-1-1: is not well, and broker-1 is a group of the same pool: Nomad has 2 live nodes of this name; make broker-1 whole before broker-0 is rolled
   broker-2-0: is not well, and broker-2 is a group of the same pool: its node is disconnected; make broker-2 whole before broker-0 is rolled"
  `);
});

test("refuses while the machine of another group is ended", () => {
  const world = observed((one) => {
    one.machines = [{ host: "broker-1-0", id: "i-1", image: "ami-0aaa", state: "terminated" }];
  });
  expect(refusals(world, inputFor("broker-0"))).toMatchInlineSnapshot(
    `"broker-1-0: is not well, and broker-1 is a group of the same pool: its machine is gone; make broker-1 whole before broker-0 is rolled: npx rollout deploy broker-1"`,
  );
});

test("refuses what could not be asked", () => {
  const world = observed((one) => {
    one.consul.members = { unknown: "connection refused" };
    one.nomad.nodes = { unknown: "403 Permission denied" };
    one.consul.autopilot = { unknown: "500 No cluster leader" };
    one.consul.raft = { unknown: "500 No cluster leader" };
    one.nomad.autopilot = { unknown: "timeout" };
  });
  expect(refusals(world, inputFor("consul-server-0"))).toMatchInlineSnapshot(`
   "preflight: could not ask for Consul's members: connection refused; what is not known counts as not well; see to it and run this again
   preflight: could not ask for Nomad's nodes: 403 Permission denied; what is not known counts as not well; see to it and run this again
   preflight: could not ask for the health of Consul's servers, Consul's raft configuration: 500 No cluster leader; what is not known counts as not well; see to it and run this again"
  `);
  expect(refusals(world, inputFor("nomad-server-0"))).toContain("the health of Nomad's servers: timeout");
});

test("refuses once what keeps every question from being asked, also where it is said of a right", () => {
  const throttled = { unknown: "AWS throttles: ec2:DescribeInstances: Request limit exceeded." };
  const world = observed((one) => {
    one.consul.rights = throttled;
    one.consul.members = { unknown: `the token's rights are not known: ${throttled.unknown}` };
    one.nomad.nodes = throttled;
    one.nomad.members = { unknown: "timeout" };
  });
  expect(refusals(world, inputFor("broker-0"))).toMatchInlineSnapshot(`
   "preflight: could not ask for Consul's members, the rights in Consul, Nomad's nodes: AWS throttles: ec2:DescribeInstances: Request limit exceeded.; what is not known counts as not well; see to it and run this again
   preflight: could not ask for Nomad's members: timeout; what is not known counts as not well; see to it and run this again"
  `);
});

test("refuses a server while no other may fail, whatever autopilot calls it", () => {
  const two = observed((one) => {
    const autopilot = known(one.consul.autopilot);
    autopilot.servers = autopilot.servers.slice(0, 2);
    autopilot.failureTolerance = 0;
  });
  expect(refusals(two, inputFor("consul-server-0"))).toMatchInlineSnapshot(
    `"consul-server-0: Consul tolerates no failure now: 3 of 3 peers vote in raft, 2 for autopilot; 3 are declared; wait until Consul's 3 servers are whole, without any other (consul operator raft list-peers)"`,
  );
  const unhealthy = observed((one) => {
    known(one.nomad.autopilot).healthy = false;
  });
  expect(refusals(unhealthy, inputFor("nomad-server-0"))).toMatchInlineSnapshot(
    `"nomad-server-0: Nomad tolerates no failure now: autopilot does not call the whole healthy; wait until Nomad's 3 servers are whole, without any other (nomad operator raft list-peers)"`,
  );
  const nonVoter = observed((one) => {
    pick(known(one.nomad.autopilot).servers, "nomad-server-1-0.global").voter = false;
  });
  expect(refusals(nonVoter, inputFor("nomad-server-0"))).toContain("2 for autopilot");
});

test("a server that lives and does not vote, or is not healthy, may be rolled while the other two are healthy voters", () => {
  const mute = observed((one) => {
    const { autopilot, raft } = one.consul;
    pick(known(autopilot).servers, "consul-server-0-0").voter = false;
    pick(raft, "consul-server-0-0").voter = false;
  });
  expect(preflight(mute, inputFor("consul-server-0")).refusals).toEqual([]);
  expect(refusals(mute, inputFor("consul-server-1"))).toContain(
    "consul-server-1: Consul tolerates no failure now: 2 of 3 peers vote in raft",
  );
  const ill = observed((one) => {
    const autopilot = known(one.nomad.autopilot);
    autopilot.healthy = false;
    pick(autopilot.servers, "nomad-server-0-0.global").healthy = false;
  });
  expect(preflight(ill, inputFor("nomad-server-0")).refusals).toEqual([]);
  pick(known(ill.nomad.autopilot).servers, "nomad-server-1-0.global").healthy = false;
  expect(refusals(ill, inputFor("nomad-server-0"))).toBe(
    "nomad-server-0: with a new one Nomad would not be whole: not healthy: nomad-server-1-0.global; wait until Nomad's 3 servers are whole, without any other (nomad operator raft list-peers)",
  );
});

test("a server that is dead may be rolled while the other two are healthy voters", () => {
  const dead = observed((one) => {
    pick(one.nomad.members, "nomad-server-0-0.global").status = "failed";
    const autopilot = known(one.nomad.autopilot);
    autopilot.servers = autopilot.servers.slice(1);
    autopilot.failureTolerance = 0;
  });
  expect(preflight(dead, inputFor("nomad-server-0")).refusals).toEqual([]);
  pick(known(dead.nomad.autopilot).servers, "nomad-server-1-0.global").healthy = false;
  expect(refusals(dead, inputFor("nomad-server-0"))).toMatchInlineSnapshot(
    `"nomad-server-0: its Nomad server is dead, and with a new one Nomad would not be whole: not healthy: nomad-server-1-0.global; wait until Nomad's 3 servers are whole, without any other (nomad operator raft list-peers)"`,
  );
});

describe("An election", () => {
  const election = { unknown: "500 No cluster leader", passing: true } as const;

  test("is worth waiting for, for a minute", () => {
    const found = preflight(
      observed((one) => {
        one.nomad.nodes = election;
        one.consul.autopilot = election;
        one.consul.raft = election;
      }),
      inputFor("consul-server-0"),
    );
    expect(found.refusals).toMatchObject([{ passing: true }]);
    expect(isWorthWaiting(found, 0)).toBe(true);
    expect(isWorthWaiting(found, 59_999)).toBe(true);
    expect(isWorthWaiting(found, 60_000)).toBe(false);
  });

  test("is not, where nothing speaks against the roll, or something else does too", () => {
    expect(isWorthWaiting(preflight(observed(), inputFor("broker-0")), 0)).toBe(false);
    const more = observed((one) => {
      one.nomad.nodes = election;
      one.nomad.members = { unknown: "connection refused" };
    });
    expect(isWorthWaiting(preflight(more, inputFor("broker-0")), 0)).toBe(false);
  });

  test.each(["consul-server-0", "nomad-server-0"])(
    "is what autopilot speaks of while raft and members are whole (%s)",
    (group) => {
      const world = observed(unwell);
      expect(isWorthWaiting(preflight(world, inputFor(group)), 0)).toBe(true);
      world.consul.raft = election;
      world.nomad.raft = election;
      expect(isWorthWaiting(preflight(world, inputFor(group)), 0)).toBe(true);
    },
  );

  test("is not what autopilot speaks of while a server does not vote", () => {
    const world = observed(unwell, (one) => {
      pick(one.consul.raft, "consul-server-1-0").voter = false;
    });
    expect(isWorthWaiting(preflight(world, inputFor("consul-server-0")), 0)).toBe(false);
    world.consul.raft = { unknown: "403 Permission denied" };
    expect(isWorthWaiting(preflight(world, inputFor("consul-server-0")), 0)).toBe(false);
  });

  test("follows the death of the server that is to go; the death of another is no election", () => {
    const world = observed(unwell, (one) => {
      pick(one.nomad.members, "nomad-server-0-0.global").status = "failed";
    });
    expect(isWorthWaiting(preflight(world, inputFor("nomad-server-0")), 0)).toBe(true);
    pick(world.nomad.members, "nomad-server-1-0.global").status = "failed";
    expect(isWorthWaiting(preflight(world, inputFor("nomad-server-0")), 0)).toBe(false);
  });

  function unwell({ consul, nomad }: World): void {
    for (const { autopilot } of [consul, nomad]) {
      Object.assign(known(autopilot), { healthy: false, failureTolerance: 0, servers: [] });
    }
  }
});

test("warns of work that is not whole before anything leaves: the leave is going to wait for it", () => {
  const world = observed((one) => {
    Object.assign(pick(one.nomad.jobs, "web").groups[0] ?? {}, { running: 4, healthy: 3 });
  });
  expect(preflight(world, inputFor("broker-0")).warnings.map(formatFinding).join("\n")).toMatchInlineSnapshot(
    `"broker-0: work of it is not whole now: default/web.g: 4 of 5 running, 3 healthy; its leave waits for that, so mend it or stop its job first"`,
  );
  expect(
    preflight(world, inputFor("broker-0", { workload: "stays" }))
      .warnings.map(formatFinding)
      .join("\n"),
  ).toMatchInlineSnapshot(
    `"broker-0: work of it is not whole now: default/web.g: 4 of 5 running, 3 healthy; it loses more now, so mend it or stop its job first"`,
  );
  delete pick(world.nomad.nodes, "broker-1-0-node").used;
  expect(preflight(world, inputFor("broker-0")).warnings).toHaveLength(2);
});

test("warns where the resources are not known", () => {
  const world = observed((one) => {
    delete pick(one.nomad.nodes, "broker-1-0-node").used;
  });
  expect(preflight(world, inputFor("broker-0")).warnings.map(formatFinding).join("\n")).toMatchInlineSnapshot(
    `"broker-0: the resources of 1 node are not known, so nobody can say whether its work fits elsewhere; add hosts elsewhere first, or expect work to wait until the group is back"`,
  );
});

test("a group that is not deployed is a bug of the caller", () => {
  expect(() => preflight(observed(), inputFor("broker-7"))).toThrow(
    "no group broker-7 among those that are deployed",
  );
});

function inputFor(group: string, more: Partial<PreflightInput> = {}): PreflightInput {
  const { cluster = CLUSTER } = more;
  const stay = cluster.find(({ name }) => name === group)?.hosts ?? [];
  return { group, servers: 3, stay, workload: "moves", cluster, inFlight: [], ...more };
}

const refusals = (world: World, input: PreflightInput): string =>
  preflight(world, input).refusals.map(formatFinding).join("\n");

const servers = (pool: "consul-server" | "nomad-server"): ClusterGroup[] =>
  [0, 1, 2].map((index) => ({
    name: `${pool}-${String(index)}`,
    pool,
    role: pool,
    hosts: [`${pool}-${String(index)}-0`],
  }));

const CLUSTER: readonly ClusterGroup[] = [
  ...servers("consul-server"),
  ...servers("nomad-server"),
  ...[...new Set(BROKERS.map(groupOfHost))].map((name) => ({
    name,
    pool: "broker",
    role: "client" as const,
    hosts: BROKERS.filter((host) => groupOfHost(host) === name),
  })),
];
