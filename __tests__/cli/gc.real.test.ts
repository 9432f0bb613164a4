import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { collect, type Gc } from "../../cli/gc.js";
import { formatGc } from "../../cli/output/gc.js";
import { change, deployedAs, poolOf } from "../support/fixtures.js";
import { LOCAL_EXAMPLE, specOf } from "../cluster/yaml/example.js";
import type { MachineSettings } from "../../packages/simulator/machine.js";
import { machine, startWorld, type World } from "../support/still-cluster.js";

jest.setTimeout(60_000);

const spec = change(specOf(LOCAL_EXAMPLE), (draft) => {
  poolOf(draft, "broker").hosts = [1, 1, 1];
});
const context = { spec, deployed: deployedAs(spec) };
const list = { yes: false, system: false };

describe("gc on a simulated cluster", () => {
  let world: World;
  const unknown: MachineSettings = {
    name: "broker-2-7",
    role: "client",
    address: "10.9.9.10",
    retryJoin: machine("broker-1-0").retryJoin ?? [],
    meta: { rollout_cluster: "demo" },
  };

  /** broker-2-7, which the state does not have, has died, and so has broker-1-0, which it has. */
  beforeEach(async () => {
    world = await startWorld();
    await world.simulator.startMachine(unknown);
    world.simulator.advance(30_000);
    world.simulator.do(() => {
      world.simulator.cluster.killMachine("broker-2-7");
      world.simulator.cluster.killMachine("broker-1-0");
    });
    world.simulator.advance(120_000);
  });

  afterEach(async () => {
    await world.close();
  });

  test("lists what is gone and touches nothing", async () => {
    const { records } = await collect(world.live, context, list);
    expect(records).toMatchObject([
      { of: "nomad", name: "broker-2-7", why: "down, not in the state", removed: false },
      { of: "consul", name: "broker-2-7", why: "failed, not in the state", removed: false },
    ]);
    expect(await remembered()).toEqual(["down", "failed"]);
  });

  test("removes it when told to, and nothing else; once more there is nothing", async () => {
    const { records } = await flowing(collect(world.live, context, { ...list, yes: true }));
    expect(records.map(({ removed }) => removed)).toEqual([true, true]);
    expect(await remembered()).toEqual([undefined, "left"]);
    const nodes = (await world.live.nomad.nodes()).map(({ Name, Status }) => [Name, Status]);
    expect(nodes).toContainEqual(["broker-1-0", "down"]);
    expect((await flowing(collect(world.live, context, { ...list, yes: true }))).records).toEqual([]);
  });

  test("leaves alone what has come back since it was listed", async () => {
    const { nomad, consul } = world.live;
    const listed = await nomad.nodes();
    const node = nomad.node.bind(nomad);
    let looks = 0;
    let status: "ready" | "initializing" = "ready";
    const back = {
      nodes: () => Promise.resolve(listed),
      node: async (id: string) => {
        const found = await node(id);
        const isBack = found?.Name === "broker-2-7" && ++looks > 1;
        return isBack ? { ...found, Status: status } : found;
      },
      purge: () => Promise.reject(new Error("a live node was purged")),
      systemGc: () => Promise.reject(new Error("nobody asked for it")),
    };
    const agents = { consul, nomad: back, machines: () => world.live.machines() };
    const { records } = await flowing(collect(agents, context, { ...list, yes: true }));
    expect(records).toMatchObject([
      { of: "nomad", removed: false },
      { of: "consul", removed: true },
    ]);
    // It registers before it is ready.
    [looks, status] = [0, "initializing"];
    expect((await flowing(collect(agents, context, { ...list, yes: true }))).records).toMatchObject([
      { of: "nomad", removed: false },
    ]);
  });

  /** A force-leave takes its time, and the clock stands still by itself. */
  async function flowing<T>(action: Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      world.simulator.advance(100);
    }, 5);
    return action.finally(() => {
      clearInterval(timer);
    });
  }

  async function remembered(): Promise<(string | undefined)[]> {
    const nodes = await world.live.nomad.nodes();
    const members = await world.live.consul.members();
    return [
      nodes.find(({ Name }) => Name === "broker-2-7")?.Status,
      members.find(({ Name }) => Name === "broker-2-7")?.Status,
    ];
  }
});

describe("the text of gc", () => {
  const gc: Gc = {
    records: [
      {
        of: "nomad",
        name: "broker-0-1",
        id: "0123456789abcdef",
        why: "down, not in the state",
        removed: true,
      },
      { of: "consul", name: "broker-0-1", id: "broker-0-1", why: "failed, not in the state", removed: false },
    ],
    system: false,
  };

  test("names the next command last", () => {
    expect(formatGc(gc, list)).toMatchInlineSnapshot(`
     "2 records of machines that are gone:
     nomad   broker-0-1  01234567  down, not in the state
     consul  broker-0-1            failed, not in the state
     next: npx rollout gc --yes"
    `);
  });

  test("says what became of each", () => {
    expect(formatGc(gc, { ...list, yes: true })).toMatchInlineSnapshot(`
     "2 records of machines that are gone:
     nomad   broker-0-1  01234567  down, not in the state    removed
     consul  broker-0-1            failed, not in the state  left alone: it has changed since"
    `);
  });

  test("warns before Nomad's own collection, and says that it was asked for", () => {
    const none = { records: [], system: false };
    expect(formatGc(none, list)).toBe("no records of machines that are gone");
    expect(formatGc(none, { yes: false, system: true })).toMatchInlineSnapshot(`
     "no records of machines that are gone
     warning: Nomad's own garbage collection drops all data of finished
       allocations, logs too, on every machine
     next: npx rollout gc --system --yes"
    `);
    expect(formatGc({ ...none, system: true }, { yes: true, system: true })).toMatchInlineSnapshot(`
     "no records of machines that are gone
     asked for: Nomad's own garbage collection drops all data of finished
       allocations, logs too, on every machine; it goes on by itself"
    `);
  });
});
