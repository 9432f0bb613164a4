import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { nextLeave } from "../../../rollout/leave/next-leave.js";
import type { LeaveStep } from "../../../rollout/leave/step.js";
import { known, NEW, observed, OLD, orderOf, START, type Node, type World } from "../observed.js";
import { isLong } from "../../support/long.js";
import { run } from "./model.js";

/** Always the same cases: these tests also say how many of them were of the kind that they are about. */
const RUNS = { numRuns: isLong ? 2500 : 1200, seed: 1 };

test("nothing is drained before every node that goes is ineligible", () => {
  let drains = 0;
  fc.assert(
    fc.property(anyWorld, anyGroup("broker"), (world, group) => {
      const next = nextLeave(world, orderOf(group));
      if (next.kind !== "step" || next.step.action !== "drain") return;
      drains++;
      for (const node of goingNodes(world, group)) expect(node.eligibility).toBe("ineligible");
    }),
    RUNS,
  );
  expect(drains).toBeGreaterThan(20);
});

test("in batches nothing is drained before the whole group is ineligible, and what waits is never drained and never leaves", () => {
  let drains = 0;
  fc.assert(
    fc.property(anyWorld, anyGroup("broker"), fc.nat(1), (world, group, number) => {
      const waiting = `${group}-${String(number)}`;
      const next = nextLeave(world, orderOf(group, { laterHosts: [waiting] }));
      if (next.kind !== "step") return;
      const { step } = next;
      if (step.action === "consul-leave") expect(step.hosts).not.toContain(waiting);
      if (step.action !== "drain") return;
      drains++;
      expect(step.nodes.map(({ host }) => host)).not.toContain(waiting);
      for (const node of goingNodes(world, group)) expect(node.eligibility).toBe("ineligible");
    }),
    RUNS,
  );
  expect(drains).toBeGreaterThan(20);
});

test("no server goes without a majority of healthy voters among the others", () => {
  let gone = 0;
  fc.assert(
    fc.property(anyWorld, anyGroup("consul-server", "nomad-server"), (world, group) => {
      const next = nextLeave(world, orderOf(group));
      if (next.kind !== "step" || !takesServer(next.step, group)) return;
      gone++;
      const host = `${group}-0`;
      const side = group.startsWith("consul") ? world.consul : world.nomad;
      const alive = (name: string): boolean =>
        known<readonly { name: string; status: string }[]>(side.members).some(
          (member) => member.name === name && member.status === "alive",
        );
      const healthy = known(side.autopilot)
        .servers.filter((server) => server.healthy && server.voter)
        .map(({ id }) => id);
      const others = known(side.raft).filter(({ name, voter }) => voter && name.split(".")[0] !== host);
      const answers = (id: string): boolean =>
        world.agents.some(({ consul, nomad }) => {
          const said = side === world.consul ? consul : nomad;
          return typeof said === "object" && Object.values(said).includes(id);
        });
      const well = others.filter(({ name, id }) => alive(name) && healthy.includes(id) && answers(id));
      expect(well.length).toBeGreaterThanOrEqual(2);
      expect(well.length).toBe(others.length);
    }),
    RUNS,
  );
  expect(gone).toBeGreaterThan(20);
});

test("no server that leads goes while another can lead and be told so", () => {
  fc.assert(
    fc.property(anyWorld, anyGroup("nomad-server"), (world, group) => {
      const next = nextLeave(world, orderOf(group));
      if (next.kind !== "step" || next.step.action !== "stop-nomad-server") return;
      const leader = known(world.nomad.raft).find(({ leader }) => leader);
      expect(leader?.name).not.toBe(`${group}-0.global`);
    }),
    RUNS,
  );
});

test("no machine leaves Consul, and no group is done, while its work runs", () => {
  let ends = 0;
  fc.assert(
    fc.property(anyWorld, anyGroup("broker"), (world, group) => {
      const next = nextLeave(world, orderOf(group));
      const leaves = next.kind === "step" && next.step.action === "consul-leave";
      if (next.kind !== "done" && !leaves) return;
      ends++;
      const ids = goingNodes(world, group).map(({ id }) => id);
      const running = known(world.nomad.allocations).filter(
        ({ node, clientStatus }) =>
          ids.includes(node) && ["running", "pending", "unknown"].includes(clientStatus),
      );
      expect(running).toEqual([]);
      for (const node of goingNodes(world, group)) expect(node.drain).toBeNull();
    }),
    RUNS,
  );
  expect(ends).toBeGreaterThan(20);
});

test("no machine that stays, and none of another group, is touched", () => {
  fc.assert(
    fc.property(anyWorld, anyGroup("broker", "consul-server", "nomad-server"), (world, group) => {
      const next = nextLeave(world, orderOf(group));
      if (next.kind !== "step") return;
      const nodes = "nodes" in next.step ? next.step.nodes : [];
      const hosts = [
        ...("hosts" in next.step ? next.step.hosts : []),
        ...("host" in next.step ? [next.step.host] : []),
        ...nodes.map(({ host }) => host),
      ];
      for (const host of hosts) expect(host.slice(0, host.lastIndexOf("-"))).toBe(group);
      for (const { id } of nodes) {
        const node = known(world.nomad.nodes).find((one) => one.id === id);
        expect(node?.meta["rollout_template_hash"]).toBe(OLD);
      }
    }),
    RUNS,
  );
});

test("from anywhere, every way out ends: done, or blocked with a reason and what to do", () => {
  const ends = { done: 0, blocked: 0, waiting: 0, look: 0 };
  fc.assert(
    fc.property(
      anyWorld,
      anyGroup("broker", "consul-server", "nomad-server"),
      fc.boolean(),
      fc.boolean(),
      (world, group, leavesGracefully, hitsDeadline) => {
        const { end } = run(world, orderOf(group), { leavesGracefully, hitsDeadline });
        ends[end.kind === "step" ? "waiting" : end.kind]++;
        if (end.kind !== "blocked") return;
        expect(end.findings).not.toEqual([]);
        for (const { subject, message, remedy } of end.findings) {
          for (const text of [subject, message, remedy]) expect(text).not.toBe("");
        }
      },
    ),
    { numRuns: 300, seed: 1 },
  );
  expect(ends).toMatchObject({ waiting: 0, look: 0 });
  expect(Math.min(ends.done, ends.blocked)).toBeGreaterThan(50);
});

test.each([
  [true, ["stop-nomad-server nomad-server-2-0", "wait-nomad-gone"]],
  [
    false,
    ["stop-nomad-server nomad-server-2-0", "wait-nomad-gone", "remove-nomad-peer nomad-server-2-0.global"],
  ],
])("a server whose agent nobody has asked before leaves Nomad, gracefully: %s", (leavesGracefully, steps) => {
  const world = observed((one) => {
    one.agents = one.agents.filter(({ host }) => host !== "nomad-server-2-0");
  });
  const { log, end } = run(world, orderOf("nomad-server-2"), { leavesGracefully, hitsDeadline: false });
  expect(log.slice(1, steps.length + 1)).toEqual(steps);
  expect(end.kind).toBe("done");
});

test("the order of lists changes nothing", () => {
  fc.assert(
    fc.property(anyWorld, anyGroup("broker", "consul-server", "nomad-server"), (world, group) => {
      const turned = structuredClone(world);
      turned.nomad.nodes = reversed(turned.nomad.nodes);
      turned.nomad.members = reversed(turned.nomad.members);
      turned.nomad.raft = reversed(turned.nomad.raft);
      turned.consul.members = reversed(turned.consul.members);
      turned.consul.raft = reversed(turned.consul.raft);
      turned.consul.catalog = reversed(turned.consul.catalog);
      expect(essence(turned, group)).toEqual(essence(world, group));
    }),
    { numRuns: 200 },
  );
});

const essence = (world: World, group: string) => {
  const next = nextLeave(world, orderOf(group));
  return next.kind === "step" ? next.step.name : next.kind;
};

function reversed<T>(list: T): T {
  return Array.isArray(list) ? (list.toReversed() as T) : list;
}

const takesServer = (step: LeaveStep, group: string): boolean =>
  step.action === "stop-nomad-server" ||
  step.action.startsWith("remove-") ||
  (step.action === "consul-leave" && group.startsWith("consul-server"));

/** The live nodes of the old template, by names written out; a machine that EC2 has ended runs nothing. */
const goingNodes = (world: World, group: string): Node[] =>
  known(world.nomad.nodes).filter(
    ({ name, status, meta }) =>
      [`${group}-0`, `${group}-1`].includes(name) &&
      status !== "down" &&
      !listed(world.machines).some(({ host, state }) => host === name && state === "terminated") &&
      meta["rollout_template_hash"] !== NEW,
  );

const anyGroup = (...pools: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...pools), fc.nat(2)).map(([pool, index]) => `${pool}-${String(index)}`);

const memberStatus = fc.constantFrom("alive", "alive", "alive", "alive", "leaving", "left", "failed");

/** One change of the healthy cluster. */
const anyEdit: fc.Arbitrary<(world: World) => void> = fc.oneof(
  fc.tuple(fc.nat(5), memberStatus).map(([at, status]) => (world: World) => {
    const member = listed(world.consul.members)[at];
    if (member) member.status = status;
  }),
  fc.tuple(fc.integer({ min: 6, max: 10 }), memberStatus).map(([at, status]) => (world: World) => {
    const member = listed(world.consul.members)[at];
    if (member) member.status = status;
  }),
  fc.tuple(fc.nat(2), memberStatus).map(([at, status]) => (world: World) => {
    const member = listed(world.nomad.members)[at];
    if (member) member.status = status;
  }),
  fc
    .tuple(fc.boolean(), fc.nat(2), fc.boolean(), fc.boolean())
    .map(([inConsul, at, voter, isThere]) => (world: World) => {
      const side = inConsul ? world.consul : world.nomad;
      const peer = listed(side.raft)[at];
      if (peer) peer.voter = voter;
      if (!isThere) side.raft = listed(side.raft).filter((one) => one !== peer);
    }),
  fc.tuple(fc.boolean(), fc.nat(2), fc.boolean()).map(([inConsul, at, healthy]) => (world: World) => {
    const side = inConsul ? world.consul : world.nomad;
    if ("unknown" in side.autopilot) return;
    const server = side.autopilot.servers[at];
    if (server) server.healthy = healthy;
  }),
  fc
    .tuple(fc.integer({ min: 0, max: 11 }), fc.constantFrom("consul", "nomad"), fc.boolean())
    .map(([at, product, isAsked]) => (world: World) => {
      const agent = world.agents[at];
      if (agent && isAsked) agent[product] = "stopped";
      else world.agents = world.agents.filter((one) => one !== agent);
    }),
  fc.tuple(fc.boolean(), fc.nat(2)).map(([inConsul, leads]) => (world: World) => {
    const side = inConsul ? world.consul : world.nomad;
    listed(side.raft).forEach((peer, at) => {
      peer.leader = at === leads;
    });
  }),
  fc
    .tuple(fc.nat(4), fc.constantFrom("ready", "ready", "down", "disconnected", "initializing"), fc.boolean())
    .map(([at, status, isNew]) => (world: World) => {
      const node = listed(world.nomad.nodes)[at];
      if (!node) return;
      node.status = status;
      if (isNew) node.meta = { ...node.meta, rollout_template_hash: NEW };
    }),
  fc
    .tuple(fc.nat(1), fc.constantFrom("marked", "draining", "drained", "cut"))
    .map(([host, state]) => (world: World) => {
      for (const node of listed(world.nomad.nodes).filter(({ name }) => name.endsWith(`-${String(host)}`))) {
        node.eligibility = "ineligible";
        if (state === "marked") continue;
        node.drain = state === "draining" ? { deadlineAt: START + 60_000 } : null;
        node.lastDrain = { status: state === "draining" ? "draining" : "complete" };
        const message = state === "draining" ? "Node drain strategy set" : "Node drain complete";
        node.events.push({ at: START, message, deadlineReached: state === "cut" });
      }
    }),
  fc
    .tuple(fc.nat(9), fc.constantFrom("complete", "complete", "lost", "pending", "unknown", "running"))
    .map(([at, status]) => (world: World) => {
      const one = listed(world.nomad.allocations)[at];
      if (one) one.clientStatus = status;
    }),
  fc.constantFrom("marked", "drained").map((state) => (world: World) => {
    for (const node of listed(world.nomad.nodes)) {
      node.eligibility = "ineligible";
      if (state === "marked") continue;
      node.lastDrain = { status: "complete" };
      node.events.push({ at: START, message: "Node drain complete", deadlineReached: false });
    }
    if (state === "marked") return;
    for (const one of listed(world.nomad.allocations)) one.clientStatus = "complete";
  }),
  fc.nat(5).map((running) => (world: World) => {
    for (const { groups } of listed(world.nomad.jobs)) for (const group of groups) group.running = running;
  }),
  fc
    .constantFrom("nodes", "allocations", "jobs", "members", "raft", "autopilot")
    .map((key) => (world: World) => {
      Reflect.set(world.nomad, key, { unknown: "500 No cluster leader" });
    }),
  fc.constantFrom("members", "catalog", "raft", "autopilot").map((key) => (world: World) => {
    Reflect.set(world.consul, key, { unknown: "500 No cluster leader" });
  }),
  fc.nat(10).map((at) => (world: World) => {
    const { name } = listed(world.consul.catalog)[at] ?? { name: "" };
    world.machines = [
      { host: name, id: "i-1", image: "ami-0aaa", state: "terminated" },
      { host: "other-0-0", id: "i-2", image: "ami-0aaa", state: "running" },
    ];
  }),
  fc.constant((world: World) => {
    world.nomad.rights = [];
  }),
);

const anyWorld: fc.Arbitrary<World> = fc
  .tuple(fc.array(anyEdit, { maxLength: 6 }), fc.boolean())
  .map(([edits, hasSnapshot]) =>
    observed(
      (world) => {
        if (hasSnapshot) world.snapshotAt = START;
      },
      ...edits,
    ),
  );

/** A list that an edit may already have made unknown. */
const listed = <T>(list: readonly T[] | { readonly unknown: string }): T[] =>
  "unknown" in list ? [] : [...list];
