import { expect, test } from "@jest/globals";
import { formatFinding } from "../../../rollout/preflight/finding.js";
import { nextLeave } from "../../../rollout/leave/next-leave.js";
import type { LeaveOrder } from "../../../rollout/leave/order.js";
import { NOMAD_RIGHTS } from "../../../rollout/observation/observation.js";
import { allocationOn, known, observed, orderOf, pick, replaced, START, type World } from "../observed.js";

test("refuses without the right to read jobs: lists are empty then and look like a finished drain", () => {
  const world = observed((one) => {
    one.nomad.rights = NOMAD_RIGHTS.filter((right) => right !== "read-job");
    one.nomad.allocations = [];
    one.nomad.jobs = [];
  });
  expect(refusals(world, orderOf("broker-0"))).toMatchInlineSnapshot(
    `"NOMAD_TOKEN: lacks the right read-job (in every namespace: without it lists of allocations are empty, which looks like a drain that is done); use a token whose policy allows it"`,
  );
});

test("refuses with every right that is missing, for each kind of group", () => {
  const world = observed((one) => {
    one.nomad.rights = [];
    one.consul.rights = [];
  });
  expect(refusals(world, orderOf("broker-0"))).toMatchInlineSnapshot(`
   "NOMAD_TOKEN: lacks the right node:read (to see the nodes and the members); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right node:write (to mark nodes ineligible and to drain them); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right list-jobs (in every namespace: to see whether work that has left runs elsewhere); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right read-job (in every namespace: without it lists of allocations are empty, which looks like a drain that is done); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right agent:read (to see who a machine's own agent is); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right node:read (to see members and catalog, which are empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right service:read (to see the health of services, which is empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right agent:write (to make an agent leave); use a token whose policy allows it"
  `);
  expect(refusals(world, orderOf("nomad-server-0"))).toMatchInlineSnapshot(`
   "NOMAD_TOKEN: lacks the right node:read (to see the nodes and the members); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right operator:read (to see the health of the servers); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right agent:read (to see who a machine's own agent is); use a token whose policy allows it
   NOMAD_TOKEN: lacks the right management (to read the raft configuration, take a snapshot, hand over leadership and remove peers); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right node:read (to see members and catalog, which are empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right service:read (to see the health of services, which is empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right agent:write (to make an agent leave); use a token whose policy allows it"
  `);
  expect(refusals(world, orderOf("consul-server-0"))).toMatchInlineSnapshot(`
   "CONSUL_HTTP_TOKEN: lacks the right node:read (to see members and catalog, which are empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right service:read (to see the health of services, which is empty without it); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right operator:read (to see the health of the servers and the raft configuration); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right operator:write (to remove peers of servers that are dead); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right agent:write (to make an agent leave); use a token whose policy allows it
   CONSUL_HTTP_TOKEN: lacks the right snapshot (acl:write, to take a snapshot); use a token whose policy allows it"
  `);
});

test("refuses a group of which nothing is found, each kind", () => {
  for (const group of ["broker-0", "nomad-server-1", "consul-server-2"]) {
    expect(refusals(without(group), orderOf(group, { hosts: [] }))).toBe(
      `${group}: no host of this group is known to Consul or Nomad, so nothing proves that its work has left; check CONSUL_HTTP_ADDR and NOMAD_ADDR and that node names are the hosts' names; where the machines are gone, end them in EC2 too and run this again`,
    );
  }
});

test("refuses an empty list of machines as a proof that they are gone", () => {
  const world = without("broker-0");
  world.machines = [];
  expect(nextLeave(world, orderOf("broker-0")).kind).toBe("blocked");
  world.machines = [{ host: "broker-0-0", id: "i-1", image: "ami-0aaa", state: "running" }];
  expect(nextLeave(world, orderOf("broker-0")).kind).toBe("blocked");
});

test("a group of which nothing is found has left once all its machines are proven gone", () => {
  const world = without("broker-0");
  world.machines = [
    { host: "broker-0-0", id: "i-1", image: "ami-0aaa", state: "terminated" },
    { host: "broker-1-0", id: "i-2", image: "ami-0aaa", state: "running" },
  ];
  expect(nextLeave(world, orderOf("broker-0"))).toEqual({ kind: "done", notes: [] });
});

test("refuses when one of the hosts that there were is not found", () => {
  const world = observed(forget("broker-0-1"));
  expect(refusals(world, orderOf("broker-0"))).toMatchInlineSnapshot(
    `"broker-0-1: neither Consul nor Nomad know this host, so nothing proves that its work has left; start its agents, or end the machine, and run this again"`,
  );
});

test("refuses clients while Nomad lists no node at all", () => {
  const world = observed((one) => {
    one.nomad.nodes = [];
    one.nomad.allocations = [];
  });
  expect(refusals(world, orderOf("broker-0"))).toMatchInlineSnapshot(
    `"broker-0: Nomad lists no node at all, so nothing proves that the work of this group has left; check NOMAD_ADDR and that the clients have joined, then run this again"`,
  );
});

test("refuses a drain that was ended by its deadline, node by node", () => {
  const world = observed(drained("broker-0-0", true), drained("broker-0-1", true));
  expect(refusals(world, orderOf("broker-0"))).toMatchInlineSnapshot(`
   "broker-0-0 (node broker-0): its drain was ended by the deadline, so work was stopped before it had left; see to that work, then drain again (nomad node eligibility -enable broker-0-0-node, and run this again with a longer drain.deadline), or set drain.onDeadline: accept; or go back: npx rollout undo broker-0
   broker-0-1 (node broker-0): its drain was ended by the deadline, so work was stopped before it had left; see to that work, then drain again (nomad node eligibility -enable broker-0-1-node, and run this again with a longer drain.deadline), or set drain.onDeadline: accept; or go back: npx rollout undo broker-0"
  `);
});

test("refuses a drain that its deadline ended with the work that it cut, whenever it is asked", () => {
  const world = observed(drained("broker-0-0", true), drained("broker-0-1", false), (one) => {
    pick(one.nomad.allocations, "web@broker-0-0").since = START + 100;
    pick(one.nomad.allocations, "log@broker-0-0").since = START + 100;
    known(one.nomad.allocations).push(
      { ...allocationOn("broker-0-0", "db"), clientStatus: "running", desiredStatus: "run" },
      { ...allocationOn("broker-0-0", "gone"), clientStatus: "complete", since: START - 1 },
      { ...allocationOn("broker-0-1", "clean"), clientStatus: "complete", since: START + 100 },
    );
  });
  const cut =
    "broker-0-0 (node broker-0): its drain was ended by the deadline, so work was stopped before it had left: db@broke of db.g, web@brok of web.g";
  const found = refusals(world, orderOf("broker-0"));
  expect(found).toBe(
    `${cut}; see to that work, then drain again (nomad node eligibility -enable broker-0-0-node, and run this again with a longer drain.deadline), or set drain.onDeadline: accept; or go back: npx rollout undo broker-0`,
  );
  world.at += 3_600_000;
  expect(refusals(world, orderOf("broker-0"))).toBe(found);
  const accepting = orderOf("broker-0", { drain: { deadlineSeconds: 60, onDeadline: "accept" } });
  expect(nextLeave(world, accepting).notes).toEqual([`${cut}; drain.onDeadline: accept goes on`]);
});

test("a drain that was ended by its deadline goes on where the spec accepts it, once the work has ended", () => {
  const order = orderOf("broker-0", { drain: { deadlineSeconds: 60, onDeadline: "accept" } });
  const world = observed(drained("broker-0-0", true), drained("broker-0-1", false));
  expect(nextLeave(world, order)).toMatchObject({ step: { name: "consul-leave" } });
  pick(world.nomad.allocations, "web@broker-0-0").clientStatus = "running";
  expect(nextLeave(world, order)).toMatchObject({ step: { name: "wait-drained" } });
});

test("a group of a pool that retires has no way back", () => {
  const world = observed(drained("broker-0-0", true), drained("broker-0-1", true));
  expect(refusals(world, orderOf("broker-0", { retires: true }))).not.toContain("go back");
});

test("a drain from before the node was eligible again counts for nothing, nor does a cancelled one", () => {
  const eligibleSince = observed(drained("broker-0-0", true), drained("broker-0-1", false), (one) => {
    pick(one.nomad.nodes, "broker-0-0").events.push(
      { at: START, message: "Node marked as eligible for scheduling", deadlineReached: false },
      { at: START, message: "Node marked as ineligible for scheduling", deadlineReached: false },
    );
  });
  expect(nextLeave(eligibleSince, orderOf("broker-0"))).toMatchObject({
    step: { action: "drain", nodes: [{ id: "broker-0-0-node", host: "broker-0-0" }] },
  });
  const cancelled = observed(drained("broker-0-0", false), drained("broker-0-1", false), (one) => {
    const node = pick(one.nomad.nodes, "broker-0-1");
    node.lastDrain = { status: "canceled" };
  });
  expect(nextLeave(cancelled, orderOf("broker-0"))).toMatchObject({
    step: { action: "drain", nodes: [{ host: "broker-0-1" }] },
  });
});

test.each(["consul-server-0", "consul-server-2", "nomad-server-0", "nomad-server-2"])(
  "refuses to let %s go while another server is not alive",
  (group) => {
    const other = group.startsWith("consul") ? "consul-server-1-0" : "nomad-server-1-0.global";
    const world = observed(snapshot, (one) => {
      const side = group.startsWith("consul") ? one.consul : one.nomad;
      pick<{ name: string; status: string }>(
        known<readonly { name: string; status: string }[]>(side.members),
        other,
      ).status = "failed";
    });
    const kind = group.startsWith("consul") ? "Consul" : "Nomad";
    expect(refusals(world, orderOf(group))).toBe(
      `${group}-0: may not go: ${other}, another voter of ${kind}, is failed; bring that server back, or remove its peer if it is gone for good, and wait until ${kind} has 2 other healthy voters`,
    );
  },
);

test("refuses to let a server go while another does not vote yet", () => {
  const world = observed(snapshot, (one) => {
    pick(one.consul.raft, "consul-server-1-0").voter = false;
  });
  expect(refusals(world, orderOf("consul-server-2"))).toMatchInlineSnapshot(
    `"consul-server-2-0: may not go: Consul has 1 other voter (consul-server-0-0), a majority of 3 needs 2; wait until the other servers vote (consul operator raft list-peers)"`,
  );
  const nomad = observed(snapshot, (one) => {
    one.nomad.raft = known(one.nomad.raft).filter(({ name }) => name === "nomad-server-2-0.global");
  });
  expect(refusals(nomad, orderOf("nomad-server-2"))).toMatchInlineSnapshot(
    `"nomad-server-2-0: may not go: Nomad has 0 other voters (none), a majority of 3 needs 2; wait until the other servers vote (nomad operator raft list-peers)"`,
  );
});

test("a server that is not healthy for a moment is waited for, and so is one that autopilot does not know yet", () => {
  const unwell = observed(snapshot, (one) => {
    pick(known(one.consul.autopilot).servers, "consul-server-1-0").healthy = false;
  });
  expect(nextLeave(unwell, orderOf("consul-server-2"))).toEqual({
    kind: "step",
    step: {
      name: "wait-quorum",
      action: "wait",
      message: "waiting until the other Consul servers are healthy voters, so that consul-server-2-0 may go",
      remaining: ["consul-server-1-0 is not (yet) a healthy voter for autopilot"],
      deadlineSeconds: 60,
    },
    notes: [],
  });
  const stale = observed(snapshot, (one) => {
    pick(one.nomad.raft, "nomad-server-1-0.global").id = "another";
  });
  expect(nextLeave(stale, orderOf("nomad-server-2"))).toMatchObject({ step: { name: "wait-quorum" } });
  const leaderless = observed(snapshot, (one) => {
    for (const peer of known(one.nomad.raft)) peer.leader = false;
  });
  expect(nextLeave(leaderless, orderOf("nomad-server-2"))).toMatchObject({
    step: { remaining: ["no server leads"] },
  });
});

test("no server goes, hands over or is removed before the others' own agents are asked in the very same look", () => {
  const others = (pool: string) => ({
    kind: "look",
    agentsOf: [`${pool}-1-0`, `${pool}-2-0`],
    notes: [],
  });
  const unasked = observed(snapshot, (one) => {
    one.agents = one.agents.filter(({ host }) => !host.endsWith("-server-2-0"));
  });
  expect(nextLeave(unasked, orderOf("consul-server-0"))).toEqual(others("consul-server"));
  expect(nextLeave(unasked, orderOf("nomad-server-0"))).toEqual(others("nomad-server"));
  pick(unasked.consul.members, "consul-server-0-0").status = "failed";
  expect(nextLeave(unasked, orderOf("consul-server-0"))).toMatchObject({ kind: "look" });
  // Where nothing of it is there any more nothing is taken away, so nobody is asked.
  unasked.consul.raft = known(unasked.consul.raft).filter(({ name }) => name !== "consul-server-0-0");
  pick(unasked.consul.members, "consul-server-0-0").status = "left";
  expect(nextLeave(unasked, orderOf("consul-server-0"))).toMatchObject({
    step: { name: "wait-consul-left" },
  });
});

test("a voter that is dead and still looks well is waited for, also where it would be the next to lead", () => {
  const waiting = (agent: Partial<World["agents"][number]>, group: string): unknown => {
    const pool = group.slice(0, -2);
    const world = observed(snapshot, (one) => {
      Object.assign(one.agents.find(({ host }) => host === `${pool}-1-0`) ?? {}, agent);
    });
    const next = nextLeave(world, orderOf(group));
    return next.kind === "step" && next.step.action === "wait" ? next.step : next;
  };
  expect(waiting({ consul: "stopped" }, "consul-server-0")).toEqual({
    name: "wait-quorum",
    action: "wait",
    message: "waiting until the other Consul servers are healthy voters, so that consul-server-0-0 may go",
    remaining: ["the Consul agent on consul-server-1-0 does not run"],
    deadlineSeconds: 60,
  });
  expect(waiting({ nomad: { unknown: "no route to host" } }, "nomad-server-0")).toMatchObject({
    remaining: ["the Nomad agent on nomad-server-1-0 could not be asked: no route to host"],
  });
  expect(waiting({ nomad: { id: "another" } }, "nomad-server-2")).toMatchObject({
    remaining: ["the Nomad agent on nomad-server-1-0 is another, and nomad-server-1-0-id is what votes"],
  });
});

test("a server that is dead is not asked, which is said; quorum counts all the same", () => {
  const dead = observed(snapshot, (one) => {
    pick(one.consul.members, "consul-server-2-0").status = "failed";
  });
  expect(nextLeave(dead, orderOf("consul-server-2"))).toMatchObject({
    step: { action: "remove-consul-peer", peer: { id: "consul-server-2-0-id", name: "consul-server-2-0" } },
    notes: ["consul-server-2-0: failed in Consul, so its agent is not asked to leave"],
  });
  pick(dead.consul.members, "consul-server-1-0").status = "failed";
  expect(nextLeave(dead, orderOf("consul-server-2")).kind).toBe("blocked");
  dead.consul.raft = known(dead.consul.raft).filter(({ name }) => name !== "consul-server-2-0");
  expect(nextLeave(dead, orderOf("consul-server-2")).kind).toBe("blocked");

  const nomad = observed((one) => {
    pick(one.nomad.members, "nomad-server-2-0.global").status = "failed";
    one.nomad.raft = known(one.nomad.raft).filter(({ name }) => name !== "nomad-server-2-0.global");
    pick(one.consul.members, "nomad-server-2-0").status = "failed";
  });
  expect(nextLeave(nomad, orderOf("nomad-server-2"))).toEqual({
    kind: "done",
    notes: [
      "nomad-server-2-0: failed in Nomad, so it is not asked to stop",
      "nomad-server-2-0: failed in Consul, so its agent is not asked to leave",
    ],
  });
  pick(nomad.nomad.members, "nomad-server-1-0.global").status = "failed";
  expect(nextLeave(nomad, orderOf("nomad-server-2")).kind).toBe("blocked");
});

test("a machine that EC2 has terminated is not asked for anything, which is said", () => {
  const terminated = [
    { host: "broker-0-0", id: "i-1", image: "ami-0aaa", state: "terminated" as const },
    { host: "broker-0-1", id: "i-2", image: "ami-0aaa", state: "running" as const },
  ];
  const world = observed((one) => {
    one.machines = terminated;
  });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({
    step: { action: "mark-ineligible", nodes: [{ host: "broker-0-1" }] },
    notes: ["broker-0-0: its machine is gone, so its agents are not asked to leave"],
  });
  const server = observed((one) => {
    one.machines = [
      { host: "nomad-server-2-0", id: "i-1", image: "ami-0aaa", state: "terminated" },
      { host: "nomad-server-1-0", id: "i-2", image: "ami-0aaa", state: "running" },
    ];
  });
  expect(nextLeave(server, orderOf("nomad-server-2"))).toMatchObject({
    step: {
      name: "wait-nomad-gone",
      remaining: ["member nomad-server-2-0.global is alive", "peer nomad-server-2-0-id is in raft"],
    },
  });
});

test("clients that are down are not drained, which is said; their work has to be whole elsewhere all the same", () => {
  const world = observed((one) => {
    for (const host of ["broker-0-0", "broker-0-1"]) {
      pick(one.nomad.nodes, `${host}-node`).status = "down";
      pick(one.consul.members, host).status = "failed";
    }
    Object.assign(known(one.nomad.jobs)[0]?.groups[0] ?? {}, { running: 3, healthy: 2 });
  });
  expect(nextLeave(world, orderOf("broker-0"))).toEqual({
    kind: "step",
    step: {
      name: "wait-whole",
      action: "wait",
      message: "broker-0: waiting until its work runs healthy elsewhere",
      remaining: ["default/web.g: 3 of 5 running, 2 healthy"],
      deadlineSeconds: 900,
    },
    notes: [
      "broker-0-0: down in Nomad, so it is not drained; its work counts as lost",
      "broker-0-1: down in Nomad, so it is not drained; its work counts as lost",
      "broker-0-0: failed in Consul, so its agent is not asked to leave",
      "broker-0-1: failed in Consul, so its agent is not asked to leave",
    ],
  });
  Object.assign(known(world.nomad.jobs)[0]?.groups[0] ?? {}, { running: 5, healthy: 4 });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({ step: { name: "wait-whole" } });
  Object.assign(known(world.nomad.jobs)[0]?.groups[0] ?? {}, { running: 5, healthy: 5 });
  expect(nextLeave(world, orderOf("broker-0")).kind).toBe("done");
});

test("work of other namespaces, batch and system jobs, and jobs that are gone need not be whole", () => {
  const world = observed(drained("broker-0-0", false), drained("broker-0-1", false), (one) => {
    const groups = [{ name: "g", desired: 9, running: 0, healthy: 0 }];
    known(one.nomad.jobs).push(
      { id: "web", namespace: "other", type: "service", groups },
      { id: "night", namespace: "default", type: "batch", groups },
    );
    Object.assign(known(one.nomad.jobs)[1]?.groups[0] ?? {}, { running: 3 });
    known(one.nomad.allocations).push(
      { ...allocationOn("broker-0-0", "night"), clientStatus: "complete" },
      { ...allocationOn("broker-0-0", "purged"), clientStatus: "complete" },
    );
  });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({ step: { name: "consul-leave" } });
});

test("the wait for a drain names the allocations that are left, on which node and since when", () => {
  const world = observed((one) => {
    for (const host of ["broker-0-0", "broker-0-1"]) {
      const node = pick(one.nomad.nodes, host);
      node.eligibility = "ineligible";
      node.drain = { deadlineAt: host === "broker-0-0" ? START + 3_240_000 : null };
      node.lastDrain = { status: "draining" };
    }
    pick(one.nomad.allocations, "log@broker-0-1").clientStatus = "complete";
    pick(one.nomad.allocations, "web@broker-0-1").clientStatus = "unknown";
  });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({
    step: {
      message: "broker-0: waiting until no work is left",
      remaining: [
        "broker-0-0 (node broker-0): draining until 2026-11-21T10:54:00.000Z; log@brok of log.g running since 2026-11-21T09:00:00.000Z, web@brok of web.g running since 2026-11-21T09:00:00.000Z",
        "broker-0-1 (node broker-0): draining without a deadline; web@brok of web.g unknown since 2026-11-21T09:00:00.000Z",
      ],
    },
  });
});

test("the wait goes on while the strategy is gone and work still runs, and while it is set and none does", () => {
  const running = observed(drained("broker-0-0", false), drained("broker-0-1", false), (one) => {
    pick(one.nomad.allocations, "web@broker-0-0").clientStatus = "running";
  });
  expect(nextLeave(running, orderOf("broker-0"))).toMatchObject({ step: { name: "wait-drained" } });
  const draining = observed(drained("broker-0-0", false), drained("broker-0-1", false), (one) => {
    pick(one.nomad.nodes, "broker-0-1").drain = { deadlineAt: START + 5000 };
  });
  expect(nextLeave(draining, orderOf("broker-0"))).toMatchObject({
    step: {
      remaining: ["broker-0-1 (node broker-0): draining until 2026-11-21T10:00:05.000Z; no allocation left"],
    },
  });
});

test("the old record of a machine that was replaced is not taken for the new one, whatever its status", () => {
  const world = observed(replaced("broker-0-0"), replaced("broker-0-1"), (one) => {
    const old = pick(one.nomad.nodes, "broker-0-0-node");
    old.status = "ready";
    old.lastDrain = { status: "complete" };
    old.events.push({ at: START, message: "Node drain complete", deadlineReached: false });
  });
  expect(nextLeave(world, orderOf("broker-0"))).toEqual({ kind: "done", notes: [] });
});

test("once every machine is replaced, jobs that are not whole hold up no leave", () => {
  const world = observed(replaced("broker-0-0"), replaced("broker-0-1"), (one) => {
    Object.assign(known(one.nomad.jobs)[0]?.groups[0] ?? {}, { running: 3 });
  });
  expect(nextLeave(world, orderOf("broker-0"))).toEqual({ kind: "done", notes: [] });
});

test("a new machine of the wrong template leaves like an old one, also beside a dead record", () => {
  const world = observed(replaced("broker-0-0"), replaced("broker-0-1"));
  expect(nextLeave(world, orderOf("broker-0", { hash: "0000000003" }))).toMatchObject({
    step: {
      action: "mark-ineligible",
      nodes: [{ id: "broker-0-0-node-new" }, { id: "broker-0-1-node-new" }],
    },
  });
});

test("a host that Nomad does not know is told, beside others that it does", () => {
  const world = observed(drained("broker-0-0", false), (one) => {
    one.nomad.nodes = known(one.nomad.nodes).filter(({ name }) => name !== "broker-0-1");
  });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({
    step: { action: "consul-leave", hosts: ["broker-0-0", "broker-0-1"] },
    notes: ["broker-0-1: Nomad has no node of this name, so there is nothing to drain"],
  });
});

test("what could not be asked is waited for and named, for each kind of group", () => {
  const reason = { unknown: "500 No cluster leader" };
  const world = observed((one) => {
    one.nomad.nodes = reason;
    one.nomad.raft = reason;
    one.consul.raft = reason;
    one.snapshotAt = { unknown: "no folder" };
  });
  const remaining = (group: string) => {
    const next = nextLeave(world, orderOf(group));
    return next.kind === "step" && next.step.action === "wait"
      ? [next.step.name, ...next.step.remaining]
      : [];
  };
  const expected = ["wait-answers", "raft: 500 No cluster leader", "snapshotAt: no folder"];
  expect(remaining("broker-0")).toEqual(["wait-answers", "nodes: 500 No cluster leader"]);
  expect(remaining("nomad-server-0")).toEqual(expected);
  expect(remaining("consul-server-0")).toEqual(expected);
  world.nomad.rights = { unknown: "403" };
  expect(remaining("broker-0")).toEqual(["wait-answers", "rights in Nomad: 403"]);
  expect(remaining("consul-server-0")).not.toContain("rights in Nomad: 403");
});

test("refuses at once what the token may not ask, for each kind of group, and waits for nothing", () => {
  const world = observed((one) => {
    one.nomad.jobs = { unknown: "Nomad does not allow it", refused: true };
    one.nomad.raft = { unknown: "Nomad does not allow it", refused: true };
    one.consul.raft = { unknown: "Consul does not allow it", refused: true };
    one.consul.catalog = { unknown: "500 No cluster leader", passing: true };
  });
  expect(refusals(world, orderOf("broker-0"))).toBe(
    "jobs: Nomad does not allow it; waiting does not change that",
  );
  expect(refusals(world, orderOf("nomad-server-0"))).toBe(
    "raft: Nomad does not allow it; waiting does not change that",
  );
  expect(refusals(world, orderOf("consul-server-0"))).toBe(
    "raft: Consul does not allow it; waiting does not change that",
  );
  world.nomad.rights = { unknown: "Nomad does not know it", refused: true };
  expect(refusals(world, orderOf("broker-0"))).toBe(
    "NOMAD_TOKEN: Nomad does not know it; waiting does not change that",
  );
  expect(refusals(world, orderOf("consul-server-0"))).not.toContain("NOMAD_TOKEN");
});

test("a snapshot that is too old is taken again", () => {
  const aged = (seconds: number): World =>
    observed((one) => {
      one.snapshotAt = START - seconds * 1000;
    });
  expect(nextLeave(aged(900), orderOf("consul-server-2"))).toMatchObject({ step: { name: "consul-leave" } });
  expect(nextLeave(aged(901), orderOf("consul-server-2"))).toMatchObject({
    step: { name: "snapshot-consul" },
  });
  expect(nextLeave(aged(900), orderOf("nomad-server-2"))).toMatchObject({
    step: { name: "stop-nomad-server" },
  });
  expect(nextLeave(aged(901), orderOf("nomad-server-2"))).toMatchObject({ step: { name: "snapshot-nomad" } });
});

test("an agent that has left is waited for until the catalog has forgotten it", () => {
  const world = observed(drained("broker-0-0", false), drained("broker-0-1", false), (one) => {
    pick(one.consul.members, "broker-0-0").status = "left";
    pick(one.consul.members, "broker-0-1").status = "leaving";
  });
  expect(nextLeave(world, orderOf("broker-0"))).toMatchObject({
    step: {
      name: "wait-consul-left",
      remaining: ["broker-0-0 has left and is still in the catalog", "broker-0-1 is leaving"],
    },
  });
});

test("a peer whose name raft has forgotten is found by its address", () => {
  const world = observed(snapshot, (one) => {
    pick(one.consul.members, "consul-server-2-0").status = "left";
    pick(one.consul.raft, "consul-server-2-0").name = "";
  });
  expect(nextLeave(world, orderOf("consul-server-2"))).toMatchObject({
    step: { action: "remove-consul-peer", peer: { id: "consul-server-2-0-id" } },
  });
});

test("leadership goes to the voter that has been healthy for longest", () => {
  const world = observed(snapshot, (one) => {
    pick(known(one.nomad.autopilot).servers, "nomad-server-2-0.global").stableSince = 0;
  });
  expect(nextLeave(world, orderOf("nomad-server-0"))).toMatchObject({
    step: { to: { id: "nomad-server-2-0-id", name: "nomad-server-2-0.global" } },
  });
});

/** Every refusal, as people read it; nothing else may come. */
function refusals(world: World, order: LeaveOrder): string {
  const next = nextLeave(world, order);
  if (next.kind !== "blocked") throw new Error(`not refused: ${JSON.stringify(next)}`);
  return next.findings.map(formatFinding).join("\n");
}

function snapshot(world: World): void {
  world.snapshotAt = world.at;
}

/** A node whose drain is over and whose work has ended. */
function drained(host: string, deadlineReached: boolean) {
  return (world: World): void => {
    const node = pick(world.nomad.nodes, `${host}-node`);
    node.eligibility = "ineligible";
    node.lastDrain = { status: "complete" };
    node.events.push({ at: START, message: "Node drain complete", deadlineReached });
    for (const one of known(world.nomad.allocations)) {
      if (one.node === node.id) Object.assign(one, { clientStatus: "complete", desiredStatus: "stop" });
    }
  };
}

/** A host that neither Consul nor Nomad know. */
function forget(host: string) {
  return (world: World): void => {
    const isOther = ({ name }: { readonly name: string }): boolean => name.split(".")[0] !== host;
    world.consul.members = known(world.consul.members).filter(isOther);
    world.consul.catalog = known(world.consul.catalog).filter(isOther);
    world.consul.raft = known(world.consul.raft).filter(isOther);
    world.nomad.members = known(world.nomad.members).filter(isOther);
    world.nomad.raft = known(world.nomad.raft).filter(isOther);
    world.nomad.nodes = known(world.nomad.nodes).filter(isOther);
  };
}

const without = (group: string): World =>
  observed(...[0, 1].map((number) => forget(`${group}-${String(number)}`)), snapshot);

test("refuses that a group retires while work is bound to it, by the jobs, before anything is drained", () => {
  const order = orderOf("broker-0", { retires: true, workload: "stays", stay: [] });
  expect(refusals(observed(), order)).toMatchInlineSnapshot(
    `"broker-0: its pool retires, and work that is bound to its data volumes has nowhere to go: default/web (2); stop these jobs or take their work off this group yourself, then run this again"`,
  );
  expect(nextLeave(observed(), { ...order, retires: false })).toMatchObject({ kind: "step" });
});

test("a group retires once the work that was bound to it has ended, and with work that moves at once", () => {
  const order = orderOf("broker-0", { retires: true, workload: "stays", stay: [] });
  const stopped = observed((one) => {
    for (const each of known(one.nomad.allocations)) each.clientStatus = "complete";
  });
  const everywhere = observed((one) => {
    for (const each of known(one.nomad.jobs)) each.type = "system";
  });
  for (const [world, of] of [
    [stopped, order],
    [everywhere, order],
    [observed(), { ...order, workload: "moves" as const }],
  ] as const) {
    expect(nextLeave(world, of)).toMatchObject({ kind: "step", step: { action: "mark-ineligible" } });
  }
});
