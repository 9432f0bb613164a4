import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { groupsOf, type Role } from "../../cluster/groups.js";
import { LOCAL_EXAMPLE, specOf } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { git } from "./git.js";
import { completedOf, differenceOf, idsOf, revisionsOf, triggersOf, type StateFile } from "./state-file.js";
import { completed, placeOf, type TerraformRun } from "./terraform-run.js";
import { QUIET_HOOKS, REAL_HOOKS, refusalOf, Workspace, type Stack } from "./workspace.js";

describeReal("The example on the local platform", ["terraform"], (real) => {
  let bootstrap: TerraformRun;
  let deployed: StateFile;
  /** Each test has its own copy of the deployed cluster. */
  let demo: Workspace;

  const roll = async (view: string, env: Record<string, string> = {}) => {
    const before = await demo.state();
    const run = await demo.roll(view, env);
    const state = await demo.state();
    return { run, state, difference: differenceOf(before, state) };
  };

  /** The groups that are anything but current, and how. */
  const unsettled = async (): Promise<Record<string, string>> => {
    const { groups } = await demo.status();
    return Object.fromEntries(
      groups.flatMap(({ name, state }) => (state === "current" ? [] : [[name, state]])),
    );
  };

  const revisionNumbers = async (group: string): Promise<number[]> =>
    revisionsOf(await demo.state(), group).map(({ number }) => number);

  beforeAll(async () => {
    demo = await Workspace.create(real, LOCAL_EXAMPLE, QUIET_HOOKS);
    try {
      bootstrap = await demo.roll("cluster", { ROLLOUT_CAUSE: "the first image" });
      deployed = await demo.state();
    } finally {
      await demo.remove();
    }
  });

  beforeEach(async () => {
    demo = await Workspace.create(real, LOCAL_EXAMPLE, QUIET_HOOKS);
    await demo.putState(deployed);
  });

  afterEach(async () => {
    await demo.remove();
  });

  test("is created Consul servers first, then Nomad servers, then clients", () => {
    const groups = groupsOf(specOf(LOCAL_EXAMPLE));
    const ends = (role: Role): number[] =>
      groups
        .filter((group) => group.role === role)
        .map(({ name }) => placeOf(bootstrap, "complete", "create", `terraform_data.${name}-ready`));
    const begins = (role: Role): number[] =>
      groups
        .filter((group) => group.role === role)
        .flatMap(({ name, hosts }) => hostsOf(name, hosts))
        .map((address) => placeOf(bootstrap, "start", "create", address));

    expect(Math.max(...ends("consul-server"))).toBeLessThan(Math.min(...begins("nomad-server")));
    expect(Math.max(...ends("nomad-server"))).toBeLessThan(Math.min(...begins("client")));
    expect(begins("client")).toHaveLength(12);
  });

  test("cdktf deploys two views with a relative backend path, and they find one state", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    const broker = await demo.deploy("broker-0");
    await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
    const server = await demo.deploy("consul-server-1");

    expect(broker.output).toContain("Apply complete! Resources: 14 added, 1 changed, 14 destroyed.");
    expect(server.output).toContain("Apply complete! Resources: 21 added, 1 changed, 21 destroyed.");
    expect(broker.output).toMatch(/builtin\/terraform is built in to/);
    expect(broker.output).not.toMatch(/Installing|previously-installed/);
    const files = await readdir(demo.folder, { recursive: true });
    const states = files.filter((file) => file.endsWith(".tfstate") && !file.includes(".terraform/"));
    expect(states).toEqual(["terraform.demo.tfstate"]);
    expect(differenceOf(deployed, await demo.state()).created).toEqual([]);
    expect(await revisionNumbers("broker-0")).toEqual([1, 2]);
    expect(await revisionNumbers("consul-server-1")).toEqual([1, 2]);
    expect(await demo.list()).toEqual(["cluster"]);
  });

  test("a changed image takes a group out and in again in the wanted order", async () => {
    demo = demo.with(REAL_HOOKS);
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    const { run, state, difference } = await roll("broker-0", { ROLLOUT_CAUSE: "the June image" });

    const isAttached = (event: string): boolean => event === "create terraform_data.broker-0-0-target";
    const chain = completed(run, /broker-0-(0|ready|revision|leave)\b/);
    expect(chain.filter((event) => !isAttached(event))).toMatchInlineSnapshot(`
     [
       "delete terraform_data.broker-0-ready",
       "delete terraform_data.broker-0-0-target",
       "delete terraform_data.broker-0-leave",
       "delete terraform_data.broker-0-0-config-consul",
       "delete terraform_data.broker-0-0-data-attachment",
       "delete terraform_data.broker-0-0",
       "create terraform_data.broker-0-0",
       "create terraform_data.broker-0-0-data-attachment",
       "create terraform_data.broker-0-0-config-consul",
       "create terraform_data.broker-0-leave",
       "create terraform_data.broker-0-ready",
       "update terraform_data.broker-0-revision",
     ]
    `);
    // Beside the new leave, which waits for other machines' configuration, too.
    const attached = chain.findIndex(isAttached);
    expect(attached).toBeGreaterThan(chain.indexOf("create terraform_data.broker-0-0-config-consul"));
    expect(attached).toBeLessThan(chain.indexOf("create terraform_data.broker-0-ready"));
    const left = placeOf(run, "complete", "delete", "terraform_data.broker-0-leave");
    for (const host of hostsOf("broker-0", 3)) {
      const told = placeOf(run, "start", "delete", `${host}-config-consul`);
      expect(placeOf(run, "complete", "delete", `${host}-target`)).toBeLessThan(told);
      expect(placeOf(run, "start", "delete", `${host}-data-attachment`)).toBeGreaterThan(left);
      expect(placeOf(run, "start", "delete", host)).toBeGreaterThan(left);
    }
    expect(difference).toEqual({ created: [], replaced: membersOf("broker-0", 3), gone: [] });
    expect(revisionsOf(state, "broker-0")).toMatchObject([
      { number: 1, image: "ami-0aaa", cause: "the first image" },
      { number: 2, image: "ami-0bbb", cause: "the June image" },
    ]);
    expect((await roll("broker-0", { ROLLOUT_GROUP: "broker-0" })).run.events).toEqual([]);
  });

  test("a changed Consul server is told to every machine before its revision is recorded", async () => {
    await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
    const { run, state, difference } = await roll("consul-server-1");

    const told = allHosts.map((host) => `${host}-config-consul`);
    expect(told).toHaveLength(18);
    expect(difference).toEqual({
      created: [],
      replaced: [...new Set([...told, ...membersOf("consul-server-1", 1)])].sort(),
      gone: [],
    });
    const recorded = placeOf(run, "start", "update", "terraform_data.consul-server-1-revision");
    for (const address of told) expect(placeOf(run, "complete", "create", address)).toBeLessThan(recorded);
    const servers = [0, 1, 2].map((index) =>
      idsOf(state).get(`terraform_data.consul-server-${String(index)}-0`),
    );
    expect(new Set(told.map((address) => triggersOf(state, address)["servers"]))).toEqual(
      new Set([servers.join(",")]),
    );
  });

  test("a changed instance type alone replaces the machines", async () => {
    await demo.edit(["instanceTypes: [m6i.large, m6i.large", "instanceTypes: [m6i.large, m6i.xlarge"]);
    const { difference } = await roll("broker-1");

    expect(difference).toEqual({ created: [], replaced: membersOf("broker-1", 3), gone: [] });
  });

  test("a raised generation replaces machines that are otherwise unchanged", async () => {
    await demo.edit(["generations: [0, 0, 0]", "generations: [0, 0, 1]"]);
    const { state, difference } = await roll("broker-2");

    expect(difference).toEqual({ created: [], replaced: membersOf("broker-2", 3), gone: [] });
    expect(revisionsOf(state, "broker-2")).toMatchObject([
      { number: 1, image: "ami-0aaa", generation: 0 },
      { number: 2, image: "ami-0aaa", generation: 1 },
    ]);
  });

  test("a group that shrinks loses its last machine alone, and finds the volume again when it grows", async () => {
    await demo.edit(["hosts: [3, 3, 3]", "hosts: [3, 3, 2]"]);
    const shrunk = await roll("broker-2");

    const hooks = ["terraform_data.broker-2-leave", "terraform_data.broker-2-ready"];
    const last = ["", "-config-consul", "-data-attachment", "-target"].map(
      (kind) => `terraform_data.broker-2-2${kind}`,
    );
    expect(shrunk.difference).toEqual({ created: [], replaced: hooks, gone: last });
    expect(shrunk.run.hooks).toContainEqual(
      expect.stringMatching(/hook leave broker-2 --hash \w+ --stay broker-2-0,broker-2-1\\?"/),
    );
    expect(await unsettled()).toEqual({});

    await demo.edit(["hosts: [3, 3, 2]", "hosts: [3, 3, 3]"]);
    const grown = await roll("broker-2");

    expect(grown.difference).toEqual({ created: last, replaced: hooks, gone: [] });
    expect(idsOf(grown.state).get("terraform_data.broker-2-2-data")).toBe(
      idsOf(deployed).get("terraform_data.broker-2-2-data"),
    );
    expect(await unsettled()).toEqual({});
  });

  const isFinishedByTheNext = async (hook: string, least: number, most: number): Promise<void> => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await demo.synth();
    await demo.tamper("broker-0", (stack) => {
      hookOf(stack, hook)["command"] = "echo waiting; exec tail -f /dev/null";
    });

    const cut = await demo.interrupt("broker-0", "waiting");

    expect(cut.exitCode).not.toBe(0);
    const half = await demo.state();
    const hosts = hostsOf("broker-0", 3);
    const done = differenceOf(deployed, half).replaced.filter((address) => hosts.includes(address));
    expect(done.length).toBeGreaterThanOrEqual(least);
    expect(done.length).toBeLessThanOrEqual(most);
    expect(await unsettled()).toEqual({ "broker-0": "in flight" });
    expect(await revisionNumbers("broker-0")).toEqual([1]);

    const { state } = await roll("broker-0");

    for (const host of done) expect(idsOf(state).get(host)).toBe(idsOf(half).get(host));
    expect(differenceOf(deployed, state)).toEqual({
      created: [],
      replaced: membersOf("broker-0", 3),
      gone: [],
    });
    expect(await unsettled()).toEqual({});
    expect(await revisionNumbers("broker-0")).toEqual([1, 2]);
  };

  test("a roll that is interrupted while a machine is told of Consul is finished by the next", () =>
    isFinishedByTheNext("broker-0-1-config-consul", 1, 3));

  longTest("a roll that is interrupted while the group leaves is finished by the next", () =>
    isFinishedByTheNext("broker-0-leave", 0, 0),
  );

  longTest("a roll that is interrupted while the gate waits is finished by the next", () =>
    isFinishedByTheNext("broker-0-ready", 3, 3),
  );

  test("a Consul group is in flight until the last machine was told of it", async () => {
    await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
    await demo.synth();
    await demo.tamper("consul-server-1", (stack) => {
      hookOf(stack, "broker-2-2-config-consul")["command"] = "exit 1";
    });

    const { exitCode } = await demo.apply("consul-server-1");

    expect(exitCode).toBe(1);
    expect(await revisionNumbers("consul-server-1")).toEqual([1]);
    const { groups, views } = await demo.status();
    expect(groups.filter(({ state }) => state !== "current")).toMatchObject([
      {
        name: "consul-server-1",
        state: "in flight",
        reason: "terraform_data.broker-2-2-config-consul is tainted",
      },
    ]);
    expect(views).toEqual(["cluster", "consul-server-1"]);

    const { difference } = await roll("consul-server-1");

    // Nobody knows which hooks had ended, so every machine is told again, and no machine goes.
    const hooks = difference.replaced.filter((address) => address.endsWith("-config-consul"));
    expect(hooks).toHaveLength(18);
    expect(difference).toEqual({
      created: [],
      replaced: [...hooks, "terraform_data.consul-server-1-ready"].sort(),
      gone: [],
    });
    expect(await revisionNumbers("consul-server-1")).toEqual([1, 2]);
    expect(await unsettled()).toEqual({});
  });

  test("a folder from before a cut records nothing that never ran, and a new one finishes it", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await demo.synth();
    const stack = join(demo.stackFolder("broker-0"), "cdk.tf.json");
    const asSynthesized = await readFile(stack, "utf8");
    await cutOff(demo, "broker-0", "broker-0-1-config-consul", { lines: '"attempt": "2"', count: 3 });
    await writeFile(stack, asSynthesized);
    const cut = await demo.state();
    expect(triggersOf(cut, "terraform_data.broker-0-1-config-consul")).toMatchObject({ attempt: "2" });

    const stale = await demo.apply("broker-0");

    expect(stale.errors.join()).toContain(
      "Hooks of broker-0 that are in the state have not ended: this view was made before a run of it was cut off. Synthesize again.",
    );
    expect(await revisionNumbers("broker-0")).toEqual([1]);
    expect(completedOf(await demo.state(), "broker-0")).toEqual(completedOf(deployed, "broker-0"));
    expect(await unsettled()).toEqual({ "broker-0": "in flight" });

    const { difference } = await roll("broker-0");

    expect(difference.replaced.filter((address) => address.endsWith("-config-consul"))).toHaveLength(3);
    expect(difference.replaced.some((address) => /broker-0-\d$/.test(address))).toBe(false);
    expect(await revisionNumbers("broker-0")).toEqual([1, 2]);
    const hosts = hostsOf("broker-0", 3).map((address) => `${idsOf(cut).get(address) ?? ""}:3`);
    expect(completedOf(await demo.state(), "broker-0")).toEqual({
      attempt: 3,
      hosts: hosts.join(","),
      gate: "open",
    });
    expect(await unsettled()).toEqual({});
  });

  longTest(
    "a folder from before a cut that another folder has finished proves nothing when it is cut again",
    async () => {
      await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
      await demo.synth();
      const stack = join(demo.stackFolder("consul-server-1"), "cdk.tf.json");
      const stale = await readFile(stack, "utf8");
      await demo.roll("consul-server-1");
      // All are told once more, from another folder: by a higher number.
      await demo.terraformText("consul-server-1", ["state", "rm", "terraform_data.broker-1-1-config-consul"]);
      await demo.rollout(["deploy", "consul-server-1", "--yes", "--confirm", "consul-server-1"]);
      expect(await unsettled()).toEqual({});
      await writeFile(stack, stale);
      const cut = "broker-1-1-config-consul";
      await cutOff(demo, "consul-server-1", cut, { lines: '"consul": "1"', count: 18 });

      expect(await unsettled()).toEqual({ "consul-server-1": "in flight" });
      await roll("consul-server-1");
      expect(triggersOf(await demo.state(), `terraform_data.${cut}`)).toMatchObject({ consul: "3" });
      expect(await unsettled()).toEqual({});
    },
  );

  test("a creation that is cut off at a gate is finished before anything is built on it", async () => {
    const other = await Workspace.create(real, LOCAL_EXAMPLE, QUIET_HOOKS);
    try {
      await other.synth();
      const seen = { lines: 'consul-server-[12]-revision"', count: 2 };
      await cutOff(other, "cluster", "consul-server-0-ready", seen);

      const cut = await other.status();
      expect([cut.next, cut.views]).toEqual(["npx rollout deploy consul-server-0", ["consul-server-0"]]);
      await other.roll("consul-server-0");
      await other.roll("cluster");

      const { groups } = await other.status();
      expect(groups.filter(({ state }) => state !== "current").map(({ name }) => name)).toEqual([]);
    } finally {
      await other.remove();
    }
  });

  test("a gate that fails leaves its group in flight, and no other group can be rolled", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await demo.synth();
    await demo.tamper("broker-0", (stack) => {
      hookOf(stack, "broker-0-ready")["command"] = "echo not enough voters >&2; exit 1";
    });

    const { exitCode, errors } = await demo.apply("broker-0");

    expect(exitCode).toBe(1);
    expect(errors).toMatchInlineSnapshot(`
     [
       "local-exec provisioner error: Error running command 'echo not enough voters >&2; exit 1': exit status 1. Output: not enough voters",
     ]
    `);
    const { groups, next, views } = await demo.status();
    expect(groups.filter(({ state }) => state !== "current")).toMatchInlineSnapshot(`
     [
       {
         "differs": [],
         "hosts": {
           "deployed": 3,
           "desired": 3,
         },
         "image": {
           "deployed": "ami-0bbb",
           "desired": "ami-0bbb",
         },
         "index": 0,
         "name": "broker-0",
         "pool": "broker",
         "reason": "terraform_data.broker-0-ready is tainted",
         "revision": 1,
         "state": "in flight",
       },
     ]
    `);
    expect(next).toBe("npx rollout deploy broker-0");
    expect(views).toEqual(["cluster", "broker-0"]);
    expect((await demo.synth({ ROLLOUT_GROUP: "broker-1" })).output).toMatchInlineSnapshot(
      `"group-in-flight: broker-1 cannot be rolled while broker-0 is in flight: terraform_data.broker-0-ready is tainted; finish it first with: rollout deploy broker-0"`,
    );

    await demo.roll("broker-0");
    expect(await unsettled()).toEqual({});
    expect(await revisionNumbers("broker-0")).toEqual([1, 2]);
  });

  longTest("refuses two changed groups", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb", "name-server-2=ami-0bbb"]);

    expect(refusalOf(await demo.deploy("broker-0"))).toMatchInlineSnapshot(
      `"one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb), name-server-2 (ami-0aaa -> ami-0bbb); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
    );
    expect(differenceOf(deployed, await demo.state())).toEqual(nothing);
  });

  longTest("queued groups are rolled one by one, each by its own view", async () => {
    await demo.edit(["pendingGroups: one", "pendingGroups: queue"]);
    await demo.rollout(["set", "image", "broker-0=ami-0bbb", "name-server-2=ami-0bbb"]);
    expect((await demo.status()).views).toEqual(["cluster", "name-server-2", "broker-0"]);

    const broker = await roll("broker-0");
    const nameServer = await roll("name-server-2");

    expect(broker.difference).toEqual({ created: [], replaced: membersOf("broker-0", 3), gone: [] });
    expect(nameServer.difference).toEqual({ created: [], replaced: membersOf("name-server-2", 1), gone: [] });
    expect(await unsettled()).toEqual({});
  });

  longTest("two clusters in one output folder do not mix", async () => {
    const prod = await demo.sibling(
      "prod",
      LOCAL_EXAMPLE.replaceAll("demo", "prod").replace("hosts: [3, 3, 3]", "hosts: [1, 1, 1]"),
    );
    await prod.roll("cluster");
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await prod.rollout(["set", "image", "broker-0=ami-0ccc"]);
    await Promise.all([demo.synth(), prod.synth()]);

    const { difference } = await roll("broker-0");
    await prod.roll("broker-0");

    expect(difference.replaced).toEqual(membersOf("broker-0", 3));
    expect((await demo.status()).groups.find(({ name }) => name === "broker-0")?.image.deployed).toBe(
      "ami-0bbb",
    );
    expect((await prod.status()).groups.find(({ name }) => name === "broker-0")?.image.deployed).toBe(
      "ami-0ccc",
    );
    expect((await readdir(demo.output)).filter((name) => ["demo", "prod"].includes(name))).toEqual([
      "demo",
      "prod",
    ]);
  });

  longTest("a state that was moved is found at its new place, by folders that knew the old one", async () => {
    await demo.roll("cluster");
    const before = await demo.state();
    const moved = join(demo.folder, "moved.tfstate");
    await rename(demo.stateFile, moved);
    await demo.edit(["path: terraform.demo.tfstate", "path: moved.tfstate"]);

    const { exitCode, output } = await demo.deploy("cluster");

    expect(exitCode).toBe(0);
    expect(output).not.toMatch(/Plan: |Creat|Destr/);
    expect(differenceOf(before, JSON.parse(await readFile(moved, "utf8")) as StateFile)).toEqual(nothing);
    expect(await readdir(demo.folder)).not.toContain("terraform.demo.tfstate");
  });

  test("with protection off, cdktf destroy takes all of it down, and no hook runs", async () => {
    await demo.rollout(["set", "image", "consul-server-0=ami-0bbb"]);
    await demo.roll("consul-server-0");
    await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
    await demo.roll("consul-server-1");
    await demo.edit(["pools:", "protection: off\npools:"]);
    expect((await demo.status()).views).toEqual(["cluster"]);

    const { exitCode, output } = await demo.destroy("cluster");

    expect(exitCode).toBe(0);
    expect(output).toContain("Destruction complete");
    expect(output).not.toContain("local-exec");
    expect((await demo.state()).resources).toEqual([]);
  });

  longTest("refuses terraform destroy in a view by the freeze", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await demo.synth();

    const { exitCode, errors } = await demo.terraform("broker-0", ["destroy", "-auto-approve"]);

    expect(exitCode).toBe(1);
    expect(errors.find((error) => error.includes("broker-1-revision"))).toMatch(
      /^(I|Resource i)nstance cannot be destroyed: .* terraform_data\.broker-1-revision has (lifecycle\.)?prevent_destroy set, /,
    );
    expect(differenceOf(deployed, await demo.state())).toEqual(nothing);
  });

  test("the commit is recorded as the cause, literally", async () => {
    const subject = 'Roll ${var.x} and $${y} by %{if true} "quotes"';
    await git(demo.folder, "init", "--quiet");
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await git(demo.folder, "add", "demo.yaml");
    await git(demo.folder, "commit", "--quiet", "--message", subject);
    const commit = await git(demo.folder, "rev-parse", "--short", "HEAD");

    const { state } = await roll("broker-0");

    expect(revisionsOf(state, "broker-0").at(-1)?.cause).toBe(`${commit} ${subject}`);
    expect((await roll("broker-0", { ROLLOUT_GROUP: "broker-0" })).run.events).toEqual([]);
  });

  test("a new pool comes by the cluster view alone", async () => {
    await demo.edit([
      "rollout:",
      `  cache:\n    images: [ami-0ccc, ami-0ccc, ami-0ccc]\n    instanceTypes: [t3.small, t3.small, t3.small]\nrollout:`,
    ]);
    expect(await unsettled()).toEqual({ "cache-0": "new", "cache-1": "new", "cache-2": "new" });
    const refused = await demo.synth({ ROLLOUT_GROUP: "cache-0" });
    expect(refused).toMatchInlineSnapshot(`
     {
       "exitCode": 2,
       "output": "cache-0 is new and has never stood, so cache-0 has no view; first: npx rollout deploy cluster",
     }
    `);

    const { difference } = await roll("cluster");

    expect(difference).toEqual({
      created: [0, 1, 2]
        .flatMap((index) => [
          ...membersOf(`cache-${String(index)}`, 1),
          `terraform_data.cache-${String(index)}-revision`,
        ])
        .filter((address) => !/-(data|data-attachment|target)$/.test(address))
        .sort(),
      replaced: [],
      gone: [],
    });
    expect(await unsettled()).toEqual({});
  });

  test("a load balancer comes to a pool that stands already without replacing a machine", async () => {
    await demo.edit(["  broker:\n", "    loadBalancer: { port: 9876 }\n  broker:\n"]);
    const balancer = await roll("cluster");
    expect(balancer.difference).toEqual({
      created: ["terraform_data.name-server-load-balancer"],
      replaced: [],
      gone: [],
    });
    expect(await unsettled()).toMatchInlineSnapshot(`
     {
       "name-server-0": "in flight",
       "name-server-1": "in flight",
       "name-server-2": "in flight",
     }
    `);

    for (const index of [0, 1, 2]) {
      const group = `name-server-${String(index)}`;
      const { difference } = await roll(group);
      expect(difference).toEqual({
        created: [`terraform_data.${group}-0-target`],
        replaced: [],
        gone: [],
      });
    }
    expect(await unsettled()).toEqual({});
  });

  test("data volumes that are no longer wanted stay with their machines", async () => {
    const text = await demo.read();
    await demo.write(
      text
        .replace(/^ +dataVolumes:.*\n( +- .*\n){3}/m, "")
        .replace("workload: stays", "workload: moves")
        .replace("pendingGroups: one", "pendingGroups: queue"),
    );

    const { state, difference } = await roll("broker-0");

    expect(difference).toEqual({ created: [], replaced: membersOf("broker-0", 3), gone: [] });
    for (const host of hostsOf("broker-0", 3))
      expect(idsOf(state).get(`${host}-data`)).toBe(idsOf(deployed).get(`${host}-data`));
    expect(await unsettled()).toEqual({ "broker-1": "pending", "broker-2": "pending" });
  });
});

const nothing = { created: [], replaced: [], gone: [] };

const hostsOf = (group: string, hosts: number): string[] =>
  Array.from({ length: hosts }, (_, host) => `terraform_data.${group}-${String(host)}`);

const allHosts = groupsOf(specOf(LOCAL_EXAMPLE)).flatMap(({ name, hosts }) => hostsOf(name, hosts));

/** What is replaced of a group with its machines: all but its volumes and its history. */
function membersOf(group: string, hosts: number): string[] {
  const kinds = [
    "",
    "-config-consul",
    ...(group.startsWith("broker-") ? ["-data-attachment", "-target"] : []),
  ];
  const hooks = ["leave", "ready"].map((kind) => `terraform_data.${group}-${kind}`);
  return [...hooks, ...hostsOf(group, hosts).flatMap((host) => kinds.map((kind) => `${host}${kind}`))].sort();
}

/**
 * Applies a view and kills Terraform in a hook that never ends: once the state has so many lines that match, and so the hook's
 * own resource, too, since others have ended meanwhile.
 */
async function cutOff(
  demo: Workspace,
  view: string,
  hook: string,
  { lines, count }: { readonly lines: string; readonly count: number },
): Promise<void> {
  // Terraform writes a state in place: half of one is no matter of ours.
  const isWritten = `[ "$(grep -c '${lines}' ${demo.stateFile})" -ge ${String(count)} ] && grep -q '^}' ${demo.stateFile}`;
  await demo.tamper(view, (stack) => {
    hookOf(stack, hook)["command"] = `until ${isWritten}; do sleep 0.1; done; kill -9 $PPID`;
  });
  expect((await demo.terraformText(view, ["apply", "-auto-approve"])).exitCode).toBe(-1);
}

/** The command of a resource's hook, to be put to a test's own use. */
function hookOf({ resource }: Stack, name: string): { command: string } {
  const hook = resource["terraform_data"]?.[name]?.provisioner?.[0];
  if (hook === undefined) throw new Error(`no hook: ${name}`);
  return hook["local-exec"];
}
