import { afterEach, describe, expect, test } from "@jest/globals";
import type { LiveCluster } from "../../live/live-cluster.js";
import { runAction } from "../../live/checks/run-action.js";
import { PoolChecks } from "../../live/checks/pool-checks.js";
import { awaitReady } from "../../hooks/await-ready.js";
import { leaveGroup } from "../../hooks/leave-group.js";
import { gateSettingsOf } from "../../cluster/gate-settings.js";
import { findGroup } from "../../cluster/find-group.js";
import { groupsOf, hostNames } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { serviceJob } from "../contract/service-job.js";
import { change, poolOf, smallSpec } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { simulatedMachine } from "../support/simulated-machine.js";
import type { NomadRules } from "../../packages/simulator/nomad/access.js";
import { startSimulatedCluster, type SimulatedWorld } from "../support/simulated-cluster.js";

const old = change(smallSpec(), (edited) => {
  poolOf(edited, "broker").hosts = [2, 2, 2];
});

let world: SimulatedWorld;
let cluster: LiveCluster;
const lines: string[] = [];

async function start(spec: Spec, rules?: NomadRules): Promise<void> {
  const options = rules ? { nomad: { tokens: new Map([["token", rules]]) } } : {};
  world = await startSimulatedCluster(old, options, rules ? { NOMAD_TOKEN: "token" } : {});
  cluster = await world.connect(spec);
  lines.length = 0;
  conditions.length = 0;
  await world.whole();
}

afterEach(async () => {
  await cluster.close();
  await world.close();
});

const withImage = (pool: string, image = "v2"): Spec =>
  change(old, (spec) => {
    poolOf(spec, pool).images[0] = image;
  });

const signal = new AbortController().signal;
const conditions: string[] = [];
const onCondition = (condition: string): void => void conditions.push(condition);
const say = (line: string): void => void lines.push(line.replace(/^\+\d+s /, ""));

/** Leaves, and starts new machines in the place of those that have left. */
async function roll(spec: Spec, name: string): Promise<void> {
  const group = findGroup(spec, name);
  const { workload, drain } = gateSettingsOf(group.pool, spec);
  const hosts = hostNames(group);
  const order = {
    group: name,
    pool: group.pool,
    role: group.role,
    servers: 3,
    hash: group.hash,
    stay: hosts,
    hosts,
    workload,
    retires: false,
    drain,
  };
  const deployed = groupsOf(old).map((each) => ({ ...each, hosts: hostNames(each) }));
  const snapshotFile = `${world.folder}/consul.snapshot`;
  await leaveGroup(
    { cluster, clock: world.clock, say, onCondition: () => undefined, signal, snapshotFile },
    order,
    {
      cluster: deployed,
      inFlight: [],
    },
  );
  for (let host = 0; host < group.hosts; host++) await world.replace(group, host);
}

async function ready(
  spec: Spec,
  name: string,
  time = { timeoutSeconds: 900, bakeSeconds: 15 },
  {
    driver,
    isNew = false,
  }: {
    readonly driver?: { readonly inFlight: [] };
    readonly isNew?: boolean;
  } = {},
): Promise<void> {
  const group = findGroup(spec, name);
  const hosts = hostNames(group);
  const { workload, ready: gate } = gateSettingsOf(group.pool, spec);
  const { env, clock } = world;
  const checks = new PoolChecks(gate.checks, {
    run: (check, machine, ending) => runAction(check, machine, { env, signal: ending }),
    ...clock,
  });
  const expected = {
    cluster: spec.name,
    group: name,
    pool: group.pool,
    role: group.role,
    servers: 3,
    image: group.image,
    hash: group.hash,
    hosts,
    workload,
    hasLoadBalancer: false,
    hasMachines: false,
    checks: gate.checks,
    others: groupsOf(old)
      .filter((each) => each.name !== name && !isNew)
      .map((each) => ({ ...each, hosts: hostNames(each) })),
  };
  const deps = { cluster, checks, clock, say, onCondition, signal, ...(driver ? { driver } : {}) };
  await awaitReady(deps, expected, time);
}

describe("a token", () => {
  const rules: NomadRules = { node: "write", operator: "read", agent: "read" };

  test("that lacks a right is refused at once, and the right is named", async () => {
    await start(old, { node: "write", operator: "read" });
    expect(await failure(ready(old, "broker-0"))).toBe(
      "broker-0 cannot be ready:\n" +
        "  NOMAD_TOKEN: lacks the right agent:read (to see who a machine's own agent is); use a token whose policy allows it",
    );
  });

  test("needs no right for the gate that only the leave has", async () => {
    await start(old, rules);
    await ready(old, "broker-0");
  });

  test("that is not known is refused at once, but in a new cluster, which may have none yet, it is waited for", async () => {
    await start(old, rules);
    world.simulator.cluster.faults.add({ kind: "status", status: 403, path: "/v1/acl/token/self" });
    expect(await failure(ready(old, "broker-0"))).toMatch(
      /^broker-0 cannot be ready:\n {2}NOMAD_TOKEN: Nomad does not allow it: GET \/v1\/acl\/token\/self .*; waiting does not change that$/,
    );
    await ready(old, "broker-0", undefined, { isNew: true });
  });
});

describe("clients", () => {
  test("are ready once their new machines have held for the bake time; then their dead records are forgotten", async () => {
    const spec = withImage("broker");
    await start(spec);
    await world.run(serviceJob("web", 4));
    await roll(spec, "broker-0");
    lines.length = 0;
    // Shorter than Nomad needs to see that a node is dead.
    await ready(spec, "broker-0", { timeoutSeconds: 900, bakeSeconds: 2 });
    expect(lines.at(-1)).toMatch(/^broker-0 is ready \(held \d+s of 2s\)$/);
    expect(conditions[0]).toBe("broker-0: waiting until broker-0-0, broker-0-1 are whole");
    expect(conditions.at(-1)).toBe("every condition is met, and has to hold for 2s");
    conditions.forEach((condition, at) => {
      expect(condition).not.toBe(conditions[at + 1]);
    });
    expect(lines.filter((line) => line.endsWith("of its dead machine is purged"))).toHaveLength(2);
    const nodes = (await cluster.nomad.nodes()).filter(({ Name }) => Name === "broker-0-0");
    expect(nodes).toMatchObject([{ Status: "ready", SchedulingEligibility: "eligible" }]);
  });

  test("that still run the old image are not ready, and the gate says which condition failed", async () => {
    const spec = withImage("broker");
    await start(spec);
    const said = await failure(ready(spec, "broker-0", { timeoutSeconds: 20, bakeSeconds: 5 }));
    expect(said.replace(/after \d+ s/, "after <n> s")).toMatchInlineSnapshot(`
     "broker-0 is not ready after <n> s:
       runs-image (0 of 2): broker-0-0: in the metadata of its Consul agent rollout_image is v1, not v2, rollout_template_hash is 18ac07b79f, not 8b854bb03d; broker-0-1: in the metadata of its Consul agent rollout_image is v1, not v2, rollout_template_hash is 18ac07b79f, not 8b854bb03d"
    `);
  });

  test("that became ineligible while they baked begin anew", async () => {
    await start(old);
    const done = ready(old, "broker-1", { timeoutSeconds: 600, bakeSeconds: 30 });
    await world.until(() => lines.some((line) => line.startsWith("every condition is met")));
    await world.ineligible("broker-1-0");
    await world.until(() => lines.some((line) => line.includes("nodes-eligible (1 of 2)")));
    await world.eligible("broker-1-0");
    await done;
    expect(lines.at(-1)).toMatch(/^broker-1 is ready \(held \d+s of 30s\)$/);
    const still = lines.filter((line) => line.startsWith("  still: "));
    expect(still.map((line) => line.replace(/[0-9a-f-]{36}/, "<id>"))).toMatchInlineSnapshot(`
     [
       "  still: nodes-eligible (1 of 2): broker-1-0: its node <id> is ineligible",
     ]
    `);
  });
});

describe("servers", () => {
  test.each(["nomad-server", "consul-server"])("%s: the new one votes under its new id", async (pool) => {
    const spec = withImage(pool);
    await start(spec);
    const before =
      pool === "consul-server"
        ? await cluster.consul.raftConfiguration()
        : await cluster.nomad.raftConfiguration();
    await world.leaveByHand(`${pool}-0-0`);
    await world.replace(findGroup(spec, `${pool}-0`), 0);
    await ready(spec, `${pool}-0`);
    const after =
      pool === "consul-server"
        ? await cluster.consul.raftConfiguration()
        : await cluster.nomad.raftConfiguration();
    expect(after.filter(({ Voter }) => Voter)).toHaveLength(3);
    const ids = new Set(before.map(({ ID }) => ID));
    expect(after.filter(({ ID }) => !ids.has(ID))).toHaveLength(1);
  });

  test("a server that stays a non-voter is not ready, though autopilot says healthy", async () => {
    const spec = withImage("consul-server");
    await start(spec);
    await world.leaveByHand("consul-server-0-0");
    world.simulator.do(() => {
      world.simulator.cluster.consul.nonVoters.add("consul-server-0-0");
    });
    await world.replace(findGroup(spec, "consul-server-0"), 0);
    const said = await failure(ready(spec, "consul-server-0", { timeoutSeconds: 60, bakeSeconds: 5 }));
    expect(said).toContain("voters (2 of 3)");
    expect(said).toContain("new-id-votes (0 of 1)");
  });
});

describe("a machine's own list of Consul servers", () => {
  const OLD = ["10.9.9.9"];
  const SHORT = { timeoutSeconds: 10, bakeSeconds: 0 };
  const breakList = (host: string): void => {
    world.simulator.do(() => {
      world.simulator.cluster.writeRetryJoin(host, OLD);
    });
  };
  const listOf = (host: string): readonly string[] => world.simulator.cluster.machine(host).config.retryJoin;

  test("holds the gate of a Consul group wherever the machine stands, and names what configures it", async () => {
    await start(old);
    breakList("broker-1-1");
    const said = await failure(ready(old, "consul-server-0", SHORT));
    expect(said.split("\n").slice(1)).toEqual([
      `  server-lists (11 of 12): broker-1-1: its own list of Consul servers names 10.9.9.9, and there are ${listOf("broker-0-0").toSorted().join(", ")}; what is wrong is configured by: rollout deploy consul-server-0`,
    ]);
    expect(listOf("broker-1-1")).toEqual(OLD);
    await ready(old, "broker-0", SHORT);
  });

  test("is configured by the driver, which says so, and then it holds nothing", async () => {
    await start(old);
    breakList("broker-1-1");
    breakList("nomad-server-2-0");
    await ready(old, "consul-server-0", SHORT, { driver: { inFlight: [] } });
    const configured = lines.filter((line) => line.includes("its list of Consul servers is written"));
    expect(configured.map((line) => line.split(":")[0]).sort()).toEqual(["broker-1-1", "nomad-server-2-0"]);
    expect(listOf("broker-1-1")).toEqual(listOf("broker-0-0").toSorted());
  });

  test("is configured by the driver on a new machine of the group, too, which found nobody to join", async () => {
    await start(old);
    await world.leaveByHand("broker-1-1");
    world.simulator.do(() => {
      world.simulator.cluster.killMachine("broker-1-1");
    });
    const settings = simulatedMachine(old, findGroup(old, "broker-1"), 1);
    await world.simulator.startMachine({ ...settings, retryJoin: [] }, "empty");
    await ready(old, "broker-1", { timeoutSeconds: 900, bakeSeconds: 0 }, { driver: { inFlight: [] } });
    expect(lines.join("\n")).toContain("broker-1-1: its list of Consul servers is written, ");
  });

  test("of a machine that has gone holds nothing", async () => {
    await start(old);
    breakList("broker-1-1");
    await world.kill("broker-1-1");
    await world.until(async () => (await world.members())["broker-1-1"] !== "alive");
    await ready(old, "consul-server-0", SHORT);
  });
});
