import { afterAll, beforeAll, expect } from "@jest/globals";
import { rehearsalJob, SERVICE } from "../../rehearsal/job.js";
import { startLoad } from "../../rehearsal/load/load.js";
import { readSpec } from "../../program/read-spec.js";
import { hostNames, poolsOf } from "../../cluster/groups.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { groupOf, groupsOf, RollDemo, rolledIn, type Allocation } from "./roll-demo.js";
import { until } from "./running-deploy.js";

const [OLD, NEW] = ["ami-0aaa", "ami-0bbb"];
const THREE = `images: [${OLD}, ${OLD}, ${OLD}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
const FIRST_BAKES = 240;

/** Deadlines so long that none is met on a machine that does much else meanwhile. */
const SPEC = `pools:
  consul-server: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s } }
  nomad-server: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s } }
  name-server: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s, first: ${String(FIRST_BAKES)}s }, workload: stays, dataVolumes: [{ sizeGib: 10 }, { sizeGib: 10 }, { sizeGib: 10 }], drain: { deadline: 4h } }
  broker: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s }, hosts: [2, 2, 2], drain: { deadline: 4h } }
`;

const CLIENTS = ["name-server", "broker"];

/** What the issue calls done: nobody who uses the cluster notices that all of it is replaced. */
describeReal("A whole cluster that is rolled by one command under load", ["terraform"], (real) => {
  let demo: RollDemo;

  beforeAll(async () => {
    demo = await RollDemo.create(real, { speed: 30, spec: SPEC });
  });

  afterAll(() => demo.remove());

  longTest("serves every request, loses no write and moves no work twice", async () => {
    const pools = poolsOf(readSpec({ CLUSTER: demo.workspace.specFile }).spec);
    const work = pools.filter(({ name }) => CLIENTS.includes(name));
    const count = work.flatMap(({ groups }) => groups.flatMap(hostNames)).length;
    for (const pool of work) await demo.tell("/jobs", rehearsalJob(pool));
    await until("all of the work answers", async () => (await demo.passing(SERVICE)) === count);
    const leaders = {
      consul: await demo.leadBefore("consul", "consul-server-2-0"),
      nomad: await demo.leadBefore("nomad", "nomad-server-2-0"),
    };
    const old = await demo.nodes();
    const before = await demo.events();
    const load = await startLoad({
      consul: demo.machines
        .list()
        .flatMap(({ name, consul }) => (CLIENTS.some((pool) => name.startsWith(pool)) ? [consul] : []))
        .join(","),
      service: SERVICE,
      speed: demo.speed,
    });

    const { exitCode, output } = await demo.start("--all", "--image", NEW).end();

    const { writes, reads, requests } = await load.stop();
    const allocations = await demo.allocations();
    const events = (await demo.events()).slice(before.length);
    expect({ exitCode, end: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, end: "" });
    for (const tally of [writes, reads, requests]) {
      expect(tally).toMatchObject({ failed: 0 });
      expect(tally?.tried).toBeGreaterThan(100);
    }
    expect(writes.lost).toEqual([]);

    // The order: Consul servers, Nomad servers, clients; among servers the one that led goes last.
    expect(rolledIn(events)).toEqual([
      ...leaderLast(groupsOf("consul-server"), groupOf(leaders.consul)),
      ...leaderLast(groupsOf("nomad-server"), groupOf(leaders.nomad)),
      ...groupsOf("name-server"),
      ...groupsOf("broker"),
    ]);
    // Each machine was made anew once, and none was switched off that was still at work.
    const machines = pools.flatMap(({ groups }) => groups.flatMap(hostNames)).sort();
    expect(events.flatMap(({ what, machine }) => (what === "started" ? [machine] : [])).sort()).toEqual(
      machines,
    );
    expect(events.filter(({ what, work: left }) => what === "killed" && left !== 0)).toEqual([]);
    // The first group of a pool that gets the image is watched for longer before the second goes.
    const at = (what: RegExp, machine: string) =>
      events.find((each) => what.test(each.what) && each.machine === machine) ?? fail(machine);
    expect(
      RollDemo.secondsBetween(at(/^started$/, "name-server-0-0"), at(/^killed$/, "name-server-1-0")),
    ).toBeGreaterThan(FIRST_BAKES);

    const moves = movesOf(allocations, old);
    expect(moves.filter(({ isAvoidable }) => isAvoidable).map(({ said }) => said)).toEqual([]);
    // All that ran on a machine has left it, and runs again: nothing of this holds by work that never had to move.
    expect(new Set(moves.map(({ from }) => from))).toEqual(
      new Set(work.flatMap(({ name }) => groupsOf(name))),
    );
    expect(allocations.filter(({ ClientStatus }) => ClientStatus === "running")).toHaveLength(count);

    expect(await demo.images()).toEqual(Object.fromEntries(machines.map((name) => [name, NEW])));
    const groups = pools.flatMap(({ groups: all }) => all.map(({ name }) => name));
    expect(await demo.history(groups)).toEqual(Object.fromEntries(groups.map((name) => [name, [OLD, NEW]])));
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null });
  });
});

const leaderLast = (groups: readonly string[], leader: string): string[] => [
  ...groups.filter((group) => group !== leader),
  leader,
];

interface Move {
  /** The group that it left. */
  readonly from: string;
  /** `job.server[0]: broker-1 -> broker-2, which is still to be rolled` */
  readonly said: string;
  readonly isAvoidable: boolean;
}

/**
 * Every time that an allocation took the place of another. A machine that is made anew comes back as another node, so the
 * ids of the nodes tell on which side of its group's roll an allocation ran. Work that has left a machine must not have to
 * leave again for the sake of the same roll of the pool. Of the group that is rolled first this cannot be had: its work
 * has nowhere to go but machines that are still to be rolled. From then on there are machines that are done with, so what
 * goes to one that is still to be rolled is moved twice; and what leaves a new machine is, whatever the reason. (That Nomad
 * prefers the empty new machines is the doing of the job, which spreads over all nodes.)
 */
function movesOf(allocations: readonly Allocation[], old: ReadonlyMap<string, string>): Move[] {
  // By name: work that had to wait for its machine is linked to nothing.
  const inOrder = [...allocations].sort((one, other) => one.CreateTime - other.CreateTime);
  return inOrder.flatMap((one, place) => {
    const next = inOrder.slice(place + 1).find(({ Name }) => Name === one.Name);
    if (next === undefined) return [];
    const [from, to] = [groupOf(one.NodeName), groupOf(next.NodeName)];
    const isFromNew = !old.has(one.NodeID);
    const isToOld = old.has(next.NodeID);
    const isFirst = from.endsWith("-0") && to !== from;
    return [
      {
        from,
        said: `${one.Name}: ${from}${isFromNew ? ", which was new" : ""} -> ${to}${isToOld ? ", which is still to be rolled" : ""}`,
        isAvoidable: isFromNew || (isToOld && !isFirst),
      },
    ];
  });
}

function fail(machine: string): never {
  throw new Error(`${machine} was not rolled`);
}
