import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { groupsOf } from "../../cluster/groups.js";
import { buildApp, loadProgram } from "../../program/program.js";
import { idsOf, type StateFile } from "../deploy/state-file.js";
import { QUIET_HOOKS, Workspace } from "../deploy/workspace.js";
import { describeReal, type RealEnvironment } from "../support/environment.js";
import { isLong, longTest } from "../support/long.js";
import { startMoto, type Moto } from "../support/moto.js";
import { type Kept, readKept } from "./kept.js";

const HOOKS_STAND_IN = new URL("../support/hooks-stand-in.mjs", import.meta.url).href;

/** What is done first with a cluster that an earlier version made. */
interface First {
  readonly what: string;
  readonly edit: (demo: Workspace) => Promise<unknown>;
  /** The views that are applied then. */
  readonly views: readonly string[];
}

const image = (group: string) => (demo: Workspace) => demo.rollout(["set", "image", `${group}=ami-0bbb`]);

const hosts = (to: string) => (demo: Workspace) => demo.edit(["hosts: [2, 1, 1]", `hosts: ${to}`]);

const FIRSTS: readonly First[] = [
  {
    what: "the cluster view, for another port",
    edit: (demo) => demo.edit(["9876", "9877"]),
    views: ["cluster"],
  },
  { what: "a whole group", edit: image("broker-0"), views: ["broker-0"] },
  { what: "a group that shrinks", edit: hosts("[1, 1, 1]"), views: ["broker-0"] },
  { what: "a group that grows", edit: hosts("[2, 2, 1]"), views: ["broker-1"] },
  { what: "a Consul server", edit: image("consul-server-1"), views: ["consul-server-1"] },
  { what: "a Nomad server", edit: image("nomad-server-0"), views: ["nomad-server-0"] },
  {
    what: "a pool that retires",
    edit: (demo) => demo.rollout(["retire", "name-server", "--confirm", "name-server"]),
    views: ["name-server-0", "name-server-1", "name-server-2", "cluster"],
  },
];

/** One of each kind is in the short form: a client group's, and a Consul server's. */
const SHORT: Readonly<Record<string, readonly string[]>> = {
  "before-rooms-local": ["a whole group"],
  "before-rooms-agents": ["a Consul server"],
  "before-completed-local": ["a whole group", "a Consul server"],
};

const tests = (name: string, what: string) => (SHORT[name]?.includes(what) === true ? test : longTest);

/** What each view would do. */
async function plans(
  demo: Workspace,
  real: RealEnvironment,
  env: Readonly<Record<string, string>>,
  all = isLong,
): Promise<Record<string, readonly string[]>> {
  const program = await loadProgram({ ...real.env, ...env, CLUSTER: demo.specFile });
  const groups = groupsOf(program.spec)
    .map(({ name }) => name)
    .filter((name) => program.deployed.groups.has(name));
  const some = all ? groups : groups.filter((name) => /^(broker-0|broker-2|consul-server-1)$/.test(name));
  const views = ["cluster", ...some];
  buildApp({ ...program, views }, demo.output).synth();
  const found: Record<string, readonly string[]> = {};
  for (const view of views) {
    const { exitCode, errors, planned } = await demo.terraform(view, ["plan", "-detailed-exitcode"]);
    if (exitCode !== 0) found[view] = [...errors, ...[...planned].sort()];
  }
  return found;
}

/** What earlier versions had wait for the load balancer: nothing declares it any more, so it goes with the first apply. */
const RELIC = /^delete \S+-lb-drained$/;

const withoutRelics = (found: Record<string, readonly string[]>): Record<string, readonly string[]> =>
  Object.fromEntries(
    Object.entries(found)
      .map(([view, planned]) => [view, planned.filter((each) => !RELIC.test(each))] as const)
      .filter(([, planned]) => planned.length > 0),
  );

/** A folder with the kept cluster's spec and state in it. */
async function put(demo: Workspace, kept: Kept, spec = "cluster.yaml", state = "whole"): Promise<void> {
  await demo.write(kept.text(spec));
  await demo.putState(JSON.parse(kept.text(`${state}.tfstate`)) as StateFile);
}

describe.each([
  ["before-rooms-local", {}, 4],
  ["before-rooms-agents", QUIET_HOOKS, 4],
  ["before-completed-local", QUIET_HOOKS, 0],
] as const)("A cluster of an earlier version, %s", (name, env, relics) => {
  const kept = readKept(name);

  describeReal("is taken over", ["terraform"], (real) => {
    let demo: Workspace;

    beforeAll(async () => {
      demo = await Workspace.create(real, kept.text("cluster.yaml"), env);
    });

    afterAll(async () => {
      await demo.remove();
    });

    test("and no view of it changes anything", async () => {
      await put(demo, kept);
      const found = await plans(demo, real, env);
      expect(found["broker-0"] ?? []).toHaveLength(relics);
      expect(withoutRelics(found)).toEqual({});
    });

    for (const { what, edit, views } of FIRSTS)
      tests(name, what)(`and first of all ${what} is applied`, async () => {
        await put(demo, kept);
        await edit(demo);
        for (const view of views) await demo.roll(view);
        expect(await plans(demo, real, env)).toEqual({});
      });

    for (const view of ["broker-0", "consul-server-1", "nomad-server-0", "cluster"])
      longTest(`and what it synthesized for ${view} is applied late`, async () => {
        await put(demo, kept, "pending.yaml");
        kept.putFolder(demo, "then", view);
        expect((await demo.apply(view)).errors).toEqual([]);
        await demo.write(kept.text("cluster.yaml"));
        if (view !== "cluster") await image(view)(demo);
        expect(withoutRelics(await plans(demo, real, env))).toEqual({});
      });

    for (const cut of kept.cuts)
      (cut === "broker-0-half-configured" ? test : longTest)(
        `and a roll that was cut off is finished: ${cut}`,
        async () => {
          await put(demo, kept, "cluster.yaml", cut);
          const view = /^.*-\d(?=-)/.exec(cut)?.[0] ?? "";
          await image(view)(demo);
          if (cut.includes("batch"))
            await demo.edit(["hosts: [2, 1, 1]", "hosts: [2, 1, 1]\n    maxUnavailable: 1"]);
          await demo.roll(view);
          expect(await plans(demo, real, env)).toEqual({});
        },
      );
  });
});

describeReal("The same on AWS, one test after another", ["terraform", "aws", "null", "moto"], (real) => {
  let moto: Moto;
  let demo: Workspace;
  let kept: Kept;
  /** What moto tells of rules otherwise than AWS does, so that Terraform would set it again. */
  let noise: readonly string[];

  beforeAll(async () => {
    moto = await startMoto();
    const { vpcId, subnetIds } = await moto.ec2.createNetwork();
    await moto.ec2.createInstanceProfile("demo-agents");
    await moto.ec2.createKeyPair("ops");
    const old = readKept("before-rooms-aws");
    const text = old.text("cluster.yaml");
    const oldIds = [...text.matchAll(/(?:vpc|subnet)-[0-9a-f]{17}/g)].map(([id]) => id);
    const network = [vpcId, ...subnetIds].map((id, index) => [oldIds[index] ?? "", id] as const);
    const env = { ...moto.env, NODE_OPTIONS: `--import=${HOOKS_STAND_IN}` };
    const there = old.with(network);
    demo = await Workspace.create(real, there.text("cluster.yaml"), env);
    there.putFolder(demo, "first", "cluster");
    expect((await demo.apply("cluster")).errors).toEqual([]);
    noise = [...(await demo.terraform("cluster", ["plan"])).planned].sort();
    const ids = idsOf(await demo.state());
    const before = idsOf(JSON.parse(there.text("whole.tfstate")) as StateFile);
    kept = there.with([...before].map(([address, id]) => [id, ids.get(address) ?? ""] as const));
  });

  afterAll(async () => {
    await moto.stop();
    await demo.remove();
  });

  const env = (): Record<string, string> => ({ ...moto.env });

  longTest("no view of it changes anything", async () => {
    expect(withoutRelics(await plans(demo, real, env(), false))).toEqual({ cluster: noise });
  });

  longTest(
    "a roll that was cut off is finished, by the folder that was synthesized for it, and another by a new one",
    async () => {
      await demo.write(kept.text("pending.yaml"));
      kept.putFolder(demo, "then", "broker-0");
      const failing = demo.with({ STAND_IN_FAILS: "^configure-consul broker-0-1" });
      expect((await failing.apply("broker-0")).exitCode).toBe(1);
      expect((await demo.apply("broker-0")).errors).toEqual([]);
      kept.putFolder(demo, "then", "nomad-server-0");
      const gate = demo.with({ STAND_IN_FAILS: "^ready " });
      expect((await gate.apply("nomad-server-0")).exitCode).toBe(1);
      await demo.roll("nomad-server-0");
      await demo.roll("consul-server-1");
      expect(await plans(demo, real, env(), false)).toEqual({ cluster: noise });
    },
  );
});
