import { describe, expect, test } from "@jest/globals";
import { nextLeave } from "../../../rollout/leave/next-leave.js";
import { known, NEW, observed, OLD, orderOf, pick, replaced, wholeCluster, type World } from "../observed.js";
import { apply, run, tick } from "./model.js";

test("clients: all ineligible, all drained, whole elsewhere, out of Consul", () => {
  const { log, end } = run(observed(), orderOf("broker-0"));
  expect(log).toEqual([
    "mark-ineligible broker-0-0, broker-0-1",
    "drain broker-0-0, broker-0-1",
    "wait-drained",
    "wait-whole",
    "consul-leave broker-0-0, broker-0-1",
    "wait-consul-left",
    "done",
  ]);
  expect(end).toEqual({ kind: "done", notes: [] });
});

test("clients whose work stays wait for it to end, not for it to run elsewhere", () => {
  const { log } = run(observed(), orderOf("broker-0", { workload: "stays" }));
  expect(log).toEqual([
    "mark-ineligible broker-0-0, broker-0-1",
    "drain broker-0-0, broker-0-1",
    "wait-drained",
    "consul-leave broker-0-0, broker-0-1",
    "wait-consul-left",
    "done",
  ]);
});

test("clients behind a load balancer are out of it and drained there before anything else", () => {
  const { log } = run(
    observed((world) => {
      world.targets = [
        { host: "broker-0-0", state: "healthy" },
        { host: "broker-0-1", state: "unhealthy" },
        { host: "broker-1-0", state: "healthy" },
      ];
    }),
    orderOf("broker-0"),
  );
  expect(log.slice(0, 3)).toEqual([
    "deregister-targets broker-0-0, broker-0-1",
    "wait-targets-drained",
    "mark-ineligible broker-0-0, broker-0-1",
  ]);
});

test("a Nomad server that leads: snapshot, handed over, stops and leaves Consul", () => {
  expect(run(observed(), orderOf("nomad-server-0")).log).toEqual([
    "snapshot-nomad",
    "transfer-nomad-leadership nomad-server-1-0.global",
    "stop-nomad-server nomad-server-0-0",
    "wait-nomad-gone",
    "consul-leave nomad-server-0-0",
    "wait-consul-left",
    "done",
  ]);
});

test.each(["1.6.10", "0.12.3", "1.6.2+ent"])(
  "a Nomad server that leads stops without handing over where one of them is %s, which is said",
  (version) => {
    const world = observed((one) => {
      pick(one.nomad.members, "nomad-server-1-0.global").version = version;
    });
    const { log, end } = run(world, orderOf("nomad-server-0"));
    expect(log.slice(0, 2)).toEqual(["snapshot-nomad", "stop-nomad-server nomad-server-0-0"]);
    expect(nextLeave(world, orderOf("nomad-server-2")).notes).toEqual([]);
    expect(end.kind).toBe("done");
  },
);

test("a Nomad server that leads and cannot hand over says that an election follows", () => {
  const world = observed((one) => {
    for (const member of known(one.nomad.members)) member.version = "1.6.0";
    one.snapshotAt = one.at;
  });
  expect(nextLeave(world, orderOf("nomad-server-0"))).toMatchObject({
    step: { action: "stop-nomad-server", host: "nomad-server-0-0" },
    notes: [
      "nomad-server-0-0 leads, and Nomad before 1.7 cannot hand over: the others elect a leader, and requests fail for some seconds",
    ],
  });
});

test.each(["1.7.0", "1.10.0", "1.61.0", "2.0.6-dev", ""])("a Nomad server of %j hands over", (version) => {
  const world = observed((one) => {
    for (const member of known(one.nomad.members)) member.version = version;
    const gone = {
      id: "gone",
      name: "nomad-server-9-0.global",
      address: "10.0.0.9",
      status: "left",
    } as const;
    known(one.nomad.members).push({ ...gone, version: "1.6.0" });
  });
  expect(run(world, orderOf("nomad-server-0")).log[1]).toBe(
    "transfer-nomad-leadership nomad-server-1-0.global",
  );
});

test("a Nomad server that does not lead just stops", () => {
  expect(run(observed(), orderOf("nomad-server-2")).log).toEqual([
    "snapshot-nomad",
    "stop-nomad-server nomad-server-2-0",
    "wait-nomad-gone",
    "consul-leave nomad-server-2-0",
    "wait-consul-left",
    "done",
  ]);
});

test("a Nomad server that does not leave gracefully is waited for and its peer removed", () => {
  const habits = { leavesGracefully: false, hitsDeadline: false };
  const { log, end } = run(observed(), orderOf("nomad-server-2"), habits);
  expect(log).toEqual([
    "snapshot-nomad",
    "stop-nomad-server nomad-server-2-0",
    "wait-nomad-gone",
    "remove-nomad-peer nomad-server-2-0.global",
    "consul-leave nomad-server-2-0",
    "wait-consul-left",
    "done",
  ]);
  expect(end.notes).toEqual(["nomad-server-2-0: failed in Nomad, so it is not asked to stop"]);
});

test("a Consul server that leads: snapshot, handed over, left", () => {
  expect(run(observed(), orderOf("consul-server-0")).log).toEqual([
    "snapshot-consul",
    "transfer-consul-leadership consul-server-1-0",
    "consul-leave consul-server-0-0",
    "wait-consul-left",
    "done",
  ]);
});

test("a Consul server that leads in a version that cannot hand over leaves all the same, which is said", () => {
  const world = observed((one) => {
    one.consul.canTransferLeadership = false;
    one.snapshotAt = one.at;
  });
  expect(nextLeave(world, orderOf("consul-server-0"))).toMatchObject({
    step: { action: "consul-leave", hosts: ["consul-server-0-0"] },
    notes: [
      "consul-server-0-0 leads, and this version of Consul cannot hand over: writes wait for some seconds",
    ],
  });
  expect(run(world, orderOf("consul-server-0")).log).toEqual([
    "consul-leave consul-server-0-0",
    "wait-consul-left",
    "done",
  ]);
});

test("a group that has been replaced asks for nothing", () => {
  const brokers = observed(replaced("broker-0-0"), replaced("broker-0-1"));
  expect(run(brokers, orderOf("broker-0")).log).toEqual(["done"]);
  expect(run(observed(replaced("nomad-server-1-0")), orderOf("nomad-server-1")).log).toEqual(["done"]);
  expect(run(observed(replaced("consul-server-1-0")), orderOf("consul-server-1")).log).toEqual(["done"]);
});

test("of a group that shrinks only the hosts leave that go", () => {
  const order = orderOf("broker-0", { hash: "0000000001", stay: ["broker-0-0"] });
  expect(run(observed(), order).log).toEqual([
    "mark-ineligible broker-0-1",
    "drain broker-0-1",
    "wait-drained",
    "consul-leave broker-0-1",
    "wait-consul-left",
    "done",
  ]);
});

test("of a group whose replacement was cut off only the old hosts leave", () => {
  const world = observed(replaced("broker-0-0"));
  expect(run(world, orderOf("broker-0")).log).toEqual([
    "mark-ineligible broker-0-1",
    "drain broker-0-1",
    "wait-drained",
    "consul-leave broker-0-1",
    "wait-consul-left",
    "done",
  ]);
});

test("the record of a machine that was replaced is not drained, though Nomad leaves it disconnected for good", () => {
  const world = observed(replaced("broker-0-0"), replaced("broker-0-1"), (one) => {
    pick(one.nomad.nodes, "broker-0-0-node").status = "disconnected";
    pick(one.nomad.allocations, "web@broker-0-0").clientStatus = "unknown";
  });
  expect(run(world, orderOf("broker-0")).log).toEqual(["done"]);
});

test("of a group that is taken back to the template of its dead machines the living ones leave as ever", () => {
  const world = observed(replaced("broker-0-0"), replaced("broker-0-1"), (world) => {
    world.targets = [{ host: "broker-0-0", state: "healthy" }];
  });
  expect(run(world, orderOf("broker-0", { hash: OLD })).log).toEqual([
    "deregister-targets broker-0-0",
    "wait-targets-drained",
    "mark-ineligible broker-0-0, broker-0-1",
    "drain broker-0-0, broker-0-1",
    "wait-drained",
    "wait-whole",
    "consul-leave broker-0-0, broker-0-1",
    "wait-consul-left",
    "done",
  ]);
});

test.each(["broker-0", "nomad-server-0", "nomad-server-2", "consul-server-0", "consul-server-1"])(
  "%s, cut off before any step and after any step whose answer was lost, ends in the same place",
  (group) => {
    for (const leavesGracefully of [true, false]) {
      const habits = { leavesGracefully, hitsDeadline: false };
      const whole = run(observed(), orderOf(group), habits);
      expect(whole.end.kind).toBe("done");
      expect(whole.before.length).toBeGreaterThan(2);
      for (const before of whole.before) {
        expect(settled(run(before, orderOf(group), habits).world)).toEqual(settled(whole.world));
        const next = nextLeave(before, orderOf(group));
        if (next.kind !== "step") continue;
        const twice = structuredClone(before);
        apply(twice, next.step, habits);
        apply(twice, next.step, habits);
        tick(twice, habits);
        expect(settled(run(twice, orderOf(group), habits).world)).toEqual(settled(whole.world));
      }
    }
  },
);

test("a run that is cut off between two nodes finishes both", () => {
  const world = observed((one) => {
    pick(one.nomad.nodes, "broker-0-0-node").eligibility = "ineligible";
  });
  expect(run(world, orderOf("broker-0")).log.slice(0, 2)).toEqual([
    "mark-ineligible broker-0-1",
    "drain broker-0-0, broker-0-1",
  ]);
});

test("each step has a deadline of its own, the wait for a drain that of the drain and a grace", () => {
  const order = orderOf("broker-0", { drain: { deadlineSeconds: 7200, onDeadline: "fail" } });
  const steps = run(observed(), order).before.flatMap((world) => {
    const next = nextLeave(world, order);
    return next.kind === "step" ? [[next.step.name, next.step.deadlineSeconds]] : [];
  });
  expect(Object.fromEntries(steps)).toEqual({
    "mark-ineligible": 60,
    drain: 60,
    "wait-drained": 7800,
    "wait-whole": 900,
    "consul-leave": 60,
    "wait-consul-left": 60,
  });
});

test("a drain has the deadline of the spec, and is never forced", () => {
  const world = observed((one) => {
    for (const node of known(one.nomad.nodes)) node.eligibility = "ineligible";
  });
  const order = orderOf("broker-0", { drain: { deadlineSeconds: 1, onDeadline: "accept" }, hash: NEW });
  expect(nextLeave(world, order)).toMatchObject({
    step: { action: "drain", drainDeadlineSeconds: 1 },
  });
});

/** A world without what tells only how long it took. */
function settled(world: World) {
  const { at, ...rest } = structuredClone(world);
  expect(at).toBeGreaterThan(0);
  for (const node of known(rest.nomad.nodes)) {
    node.events = [];
    node.drain = null;
  }
  for (const one of known(rest.nomad.allocations)) one.since = 0;
  rest.snapshotAt = null;
  for (const side of [rest.consul, rest.nomad]) {
    for (const server of known(side.autopilot).servers) server.stableSince = 0;
  }
  return rest;
}

describe("clients in batches", () => {
  const first = orderOf("broker-0", { laterHosts: ["broker-0-1"] });

  test("all of the group ineligible, then those of the batch drained and out of Consul", () => {
    const { log, world } = run(observed(), first);
    expect(log).toEqual([
      "mark-ineligible broker-0-0, broker-0-1",
      "drain broker-0-0",
      "wait-drained",
      "consul-leave broker-0-0",
      "wait-consul-left",
      "done",
    ]);
    expect(pick(world.nomad.nodes, "broker-0-1-node")).toMatchObject({
      eligibility: "ineligible",
      drain: null,
      lastDrain: null,
    });
    expect(pick(world.consul.members, "broker-0-1").status).toBe("alive");
  });

  test("the next batch leaves the new machines of the one before alone", () => {
    const { world } = run(observed(), first);
    const host = pick(wholeCluster().consul.catalog, "broker-0-0");
    known(world.consul.catalog).push(host);
    pick(world.consul.members, "broker-0-0").status = "alive";
    replaced("broker-0-0")(world);
    expect(run(world, orderOf("broker-0")).log).toEqual([
      "drain broker-0-1",
      "wait-drained",
      "wait-whole",
      "consul-leave broker-0-1",
      "wait-consul-left",
      "done",
    ]);
  });

  test("a machine that waits and may get work again is made ineligible before anything else is drained", () => {
    const { world } = run(observed(), first);
    pick(world.nomad.nodes, "broker-0-1-node").eligibility = "eligible";
    expect(run(world, first).log).toEqual(["mark-ineligible broker-0-1", "done"]);
  });

  test("a dead machine that waits is asked for nothing", () => {
    const dead = observed((world) => {
      pick(world.nomad.nodes, "broker-0-1-node").status = "down";
    });
    expect(run(dead, first).log[0]).toBe("mark-ineligible broker-0-0");
  });
});
