import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { serviceJob } from "../contract/service-job.js";
import { longTest } from "../support/long.js";
import { describeReal } from "../support/environment.js";
import { processesIn, RunningDeploy, until } from "./running-deploy.js";
import { idsOf, revisionsOf } from "./state-file.js";
import { Workspace } from "./workspace.js";

jest.setTimeout(600_000);

const three = (image: string): string =>
  `[${image}, ${image}, ${image}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
const CHECK =
  "{ name: well, command: [sh, -c, 'test ! -e bad-$0', '{host}'], interval: 2s, timeout: 5s, scope: machine }";
const SPEC = `name: demo
platform: local
local: { agents: simulated, speed: 100 }
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: ${three("ami-0aaa")} }
  nomad-server: { images: ${three("ami-0aaa")} }
  broker: { images: ${three("ami-0aaa")}, hosts: [2, 1, 1], maxSurge: 1, ready: { timeout: 10m, checks: [${CHECK}] }, bake: { time: 20s } }
`;

/** The cluster's service: so many allocations, always. */
const WORK = 6;

/** One cluster, rolled again and again. What happened is what the simulated agents say. */
describeReal("A group that gets its new machines first", ["terraform"], (real) => {
  let demo: Workspace;
  let machines: LocalMachines;
  let nodes: ReadonlyMap<string, string>;
  let seen = 0;
  /** Of the work: all that ever ran, and what ran on the group. */
  let before: { readonly all: number; readonly own: number };

  const runFolder = (): string => join(demo.folder, ".rollout", "demo");

  const control = async (path: string, body?: unknown): Promise<unknown> => {
    const file = join(runFolder(), "machines", "simulator.json");
    const { control: url } = z
      .object({ control: z.string() })
      .parse(JSON.parse(await readFile(file, "utf8")));
    const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, post);
    if (!response.ok) throw new Error(await response.text());
    return body === undefined ? response.json() : undefined;
  };

  const nomad = async (path: string): Promise<unknown> => {
    const [first = ""] = machines.endpoints().nomad.split(",");
    return (await fetch(`${first}${path}`)).json();
  };

  const nodesNow = async (): Promise<z.output<typeof nodeList>> => nodeList.parse(await nomad("/v1/nodes"));
  const allocations = async () => allocationList.parse(await nomad("/v1/job/web/allocations"));
  const work = async (): Promise<number> =>
    (await allocations()).filter(({ ClientStatus }) => ClientStatus === "running").length;

  const start = (): RunningDeploy =>
    new RunningDeploy(demo.startDeploy("broker-0"), {
      folder: demo.folder,
      stateFile: demo.stateFile,
      runFolder: runFolder(),
      terraform: real.terraform,
    });

  /** From here on the log of the agents counts. */
  const begin = async (image?: string): Promise<void> => {
    if (image !== undefined) await demo.rollout(["set", "image", `broker-0=${image}`]);
    nodes = new Map((await nodesNow()).map(({ ID, Name }) => [ID, Name]));
    seen = eventList.parse(await control("/events")).length;
    const all = await allocations();
    const own = all.filter(
      ({ NodeID, ClientStatus }) =>
        ClientStatus === "running" && nodes.get(NodeID)?.startsWith("broker-0-") === true,
    );
    before = { all: all.length, own: own.length };
  };

  const course = async (): Promise<string[]> => {
    const events = eventList.parse(await control("/events")).slice(seen);
    return events.flatMap(({ machine, what, work: left }) => {
      const [, id = "", verb = ""] =
        /^PUT \/nomad\/v1\/node\/([0-9a-f-]{36})\/(eligibility|drain)$/.exec(what) ?? [];
      const node = nodes.get(id);
      if (node?.startsWith("broker-0-")) return [`${verb === "drain" ? "drain" : "ineligible"} ${node}`];
      if (!machine.startsWith("broker-0-")) return [];
      if (what === "started") return [`started ${machine}`];
      return what === "killed" ? [`killed ${machine} with ${String(left)} at work`] : [];
    });
  };

  const images = async (): Promise<string[]> => {
    const all = await nodesNow();
    const ready = all.filter(({ Name, Status }) => Name.startsWith("broker-0-") && Status === "ready");
    const details = await Promise.all(
      ready.map(async ({ ID }) => nodeDetail.parse(await nomad(`/v1/node/${ID}`))),
    );
    return details
      .map(({ Name, Meta, SchedulingEligibility: may }) => `${Name} ${Meta["rollout_image"] ?? ""} ${may}`)
      .sort();
  };

  /** How much of the group's work has moved more often than once. */
  const movedTwice = async (): Promise<number> => (await allocations()).length - before.all - before.own;

  const hosts = async (): Promise<string[]> =>
    [...idsOf(await demo.state()).keys()]
      .filter((address) => /^terraform_data\.broker-0-\d+$/.test(address))
      .sort();

  const quiet = (): Promise<void> =>
    until("nothing of the roll runs any more", () => processesIn(demo.folder).length === 0);

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    machines = localMachines(runFolder());
    await demo.createSimulated();
    await control("/jobs", serviceJob("web", WORK));
    await until("the work runs", async () => (await work()) === WORK);
  });

  afterAll(async () => {
    await machines.stopAll();
    await demo.remove();
  });

  test("makes one, proves it, and only then lets an old one leave; no work moves twice", async () => {
    await begin("ami-0bbb");
    const { exitCode, output } = await start().end();
    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    expect(output.split("\n").at(-1)).toMatch(/^broker-0: rolled, revision 2, in /);
    expect(await course()).toEqual([
      "started broker-0-2",
      "ineligible broker-0-0",
      "ineligible broker-0-1",
      "drain broker-0-0",
      "killed broker-0-0 with 0 at work",
      "started broker-0-0",
      "drain broker-0-1",
      "killed broker-0-1 with 0 at work",
    ]);
    expect(before.own).toBeGreaterThan(0);
    expect(await movedTwice()).toBe(0);
    expect(await images()).toEqual(["broker-0-0 ami-0bbb eligible", "broker-0-2 ami-0bbb eligible"]);
    expect(await work()).toBe(WORK);
    const state = await demo.state();
    expect(revisionsOf(state, "broker-0").map(({ image }) => image)).toEqual(["ami-0aaa", "ami-0bbb"]);
    expect((await demo.status()).phase).toBe("healthy");
    const { exitCode: planned, output: plan } = await demo.rollout(["plan", "broker-0"]);
    expect([planned, plan]).toEqual([0, expect.stringContaining("broker-0: no changes")]);
  });

  test("grows by the lowest number that is free, and shrinks by the highest", async () => {
    const ids = idsOf(await demo.state());
    const resize = async (from: number, to: number): Promise<void> => {
      await demo.edit([`hosts: [${String(from)}, 1, 1]`, `hosts: [${String(to)}, 1, 1]`]);
      const { exitCode, output } = await start().end();
      expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    };
    await resize(2, 3);
    expect(await hosts()).toEqual([0, 1, 2].map((number) => `terraform_data.broker-0-${String(number)}`));
    await resize(3, 2);
    expect(await hosts()).toEqual([0, 1].map((number) => `terraform_data.broker-0-${String(number)}`));
    expect(idsOf(await demo.state()).get("terraform_data.broker-0-0")).toBe(
      ids.get("terraform_data.broker-0-0"),
    );
    expect((await demo.status()).phase).toBe("healthy");
  });

  test("with an image that never becomes ready every old machine stays at work, and one command brings it back", async () => {
    await begin("ami-0ccc");
    const ids = idsOf(await demo.state());
    await writeFile(join(demo.folder, "bad-broker-0-2"), "");
    const run = start();
    await run.see({ in: "driver", text: /check-well/ });
    await run.send("driver", "SIGINT");
    const { exitCode } = await run.end();
    expect(exitCode).toBe(1);
    expect(await images()).toEqual([
      "broker-0-0 ami-0bbb eligible",
      "broker-0-1 ami-0bbb eligible",
      "broker-0-2 ami-0ccc eligible",
    ]);
    const undone = await demo.rollout(["undo", "broker-0"]);
    expect(undone).toEqual({ exitCode: 0, output: expect.not.stringContaining("generation") });
    const back = await start().end();
    expect([back.exitCode, back.exitCode === 0 ? "" : back.output]).toEqual([0, ""]);
    expect((await course()).filter((line) => !line.includes("broker-0-2"))).toEqual([]);
    expect(await images()).toEqual(["broker-0-0 ami-0bbb eligible", "broker-0-1 ami-0bbb eligible"]);
    const now = idsOf(await demo.state());
    for (const host of ["broker-0-0", "broker-0-1"])
      expect(now.get(`terraform_data.${host}`)).toBe(ids.get(`terraform_data.${host}`));
    expect(await work()).toBe(WORK);
    expect((await demo.status()).phase).toBe("healthy");
    await rm(join(demo.folder, "bad-broker-0-2"));
  });

  /** A third machine takes the number that is free, and the highest goes. */
  const countFromZero = async (): Promise<void> => {
    await demo.edit(["hosts: [2, 1, 1]", "hosts: [3, 1, 1]"]);
    await start().end();
    await demo.edit(["hosts: [3, 1, 1]", "hosts: [2, 1, 1]"]);
    expect((await start().end()).exitCode).toBe(0);
  };

  /** A machine is ended, and Terraform has seen it. */
  const lose = async (host: string): Promise<void> => {
    await control(`/machines/${host}/kill`, {});
    const state = await demo.state();
    await demo.putState({
      ...state,
      serial: state.serial + 1,
      resources: state.resources.filter(({ type, name }) => type !== "terraform_data" || name !== host),
    });
  };

  longTest("goes back and replaces nothing where its new machine was ended by others", async () => {
    await begin("ami-0ccc");
    const ids = idsOf(await demo.state());
    const run = start();
    await run.see({ in: "terraform", text: /hook start-agents broker-0-2/ });
    await run.send("driver", "SIGINT");
    expect((await run.end()).output).toContain("or go back, which replaces none: rollout undo broker-0");
    await lose("broker-0-2");
    const undone = await demo.rollout(["undo", "broker-0"]);
    expect(undone).toEqual({ exitCode: 0, output: expect.not.stringContaining("generation") });
    const back = await start().end();
    expect([back.exitCode, back.exitCode === 0 ? "" : back.output]).toEqual([0, ""]);
    expect((await course()).filter((line) => !line.includes("broker-0-2"))).toEqual([]);
    const now = idsOf(await demo.state());
    for (const host of ["broker-0-0", "broker-0-1"])
      expect(now.get(`terraform_data.${host}`)).toBe(ids.get(`terraform_data.${host}`));
    expect((await demo.status()).phase).toBe("healthy");
  });

  longTest("proves an old machine that was missing and is made anew before its surplus goes", async () => {
    await begin("ami-0ccc");
    await writeFile(join(demo.folder, "bad-broker-0-2"), "");
    const run = start();
    await run.see({ in: "driver", text: /check-well/ });
    await run.send("driver", "SIGINT");
    await run.end();
    await lose("broker-0-0");
    expect((await demo.rollout(["undo", "broker-0"])).exitCode).toBe(0);
    const { exitCode, output } = await start().end();
    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    const proven = output.search(/before the next machines go: broker-0-0, broker-0-1/);
    expect(proven).toBeGreaterThan(0);
    expect(output.slice(0, proven)).not.toContain("its work leaves");
    expect(output.slice(proven)).toContain("its work leaves");
    expect(await images()).toEqual(["broker-0-0 ami-0bbb eligible", "broker-0-1 ami-0bbb eligible"]);
    expect((await demo.status()).phase).toBe("healthy");
    await rm(join(demo.folder, "bad-broker-0-2"));
  });

  longTest("makes what has left anew before its new machine goes, where it is undone then", async () => {
    const [plain, held] = [
      "maxSurge: 1",
      "maxSurge: 1, steps: { afterLeave: [{ name: held, command: [sh, -c, 'while test -e held; do sleep 0.1; done'], timeout: 5m }] }",
    ];
    await demo.edit([plain, held]);
    await writeFile(join(demo.folder, "held"), "");
    await begin("ami-0ccc");
    const run = start();
    await run.see({ in: "driver", text: /step held \(afterLeave\): broker-0-0/ });
    await run.send("driver", "SIGKILL");
    await run.end();
    await rm(join(demo.folder, "held"));
    await quiet();
    await demo.edit([held, plain]);
    expect((await images())[0]).toBe("broker-0-0 ami-0bbb ineligible");
    await begin();
    const { exitCode, output } = await demo.rollout(["undo", "broker-0"]);
    expect([exitCode, output]).toEqual([0, expect.stringContaining("generation 0 -> 1")]);
    const back = await start().end();
    expect([back.exitCode, back.exitCode === 0 ? "" : back.output]).toEqual([0, ""]);
    const said = await course();
    expect(said[0]).toMatch(/^(ineligible|killed broker-0-0 with 0)/);
    expect(said.filter((line) => /^(started|drain)/.test(line)).slice(0, 2)).toEqual([
      "started broker-0-0",
      "drain broker-0-2",
    ]);
    expect(await work()).toBe(WORK);
    expect((await demo.status()).phase).toBe("healthy");
    await countFromZero();
  });

  longTest("goes back by itself where the pool says so, and no old machine is replaced", async () => {
    const ids = idsOf(await demo.state());
    await demo.edit(["pools:", "rollout: { onFailure: undo }\npools:"]);
    await writeFile(join(demo.folder, "bad-broker-0-2"), "");
    const { exitCode, output } = await demo.rollout(["deploy", "broker-0", "--image", "ami-0fff", "--yes"]);
    expect([exitCode, output]).toEqual([1, expect.stringContaining("back")]);
    expect(await images()).toEqual(["broker-0-0 ami-0bbb eligible", "broker-0-1 ami-0bbb eligible"]);
    const now = idsOf(await demo.state());
    for (const host of ["broker-0-0", "broker-0-1"])
      expect(now.get(`terraform_data.${host}`)).toBe(ids.get(`terraform_data.${host}`));
    expect(await work()).toBe(WORK);
    await rm(join(demo.folder, "bad-broker-0-2"));
    await demo.rollout(["resume"]);
    expect((await demo.status()).phase).toBe("healthy");
  });

  type Mark = Parameters<RunningDeploy["see"]>[0];

  const goesOn = async (marks: readonly Mark[]): Promise<void> => {
    const from = revisionsOf(await demo.state(), "broker-0").at(-1)?.image;
    const to = from === "ami-0ddd" ? "ami-0eee" : "ami-0ddd";
    await begin(to);
    const run = start();
    for (const mark of marks) await run.see(mark);
    await run.send(marks.at(-1)?.in ?? "driver", "SIGKILL");
    await run.end();
    await quiet();
    const { exitCode, output } = await start().end();
    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    expect(await images()).toEqual(
      (await hosts()).map((address) => `${address.replace("terraform_data.", "")} ${to} eligible`),
    );
    expect(await hosts()).toHaveLength(2);
    expect(await movedTwice()).toBe(0);
    expect(await work()).toBe(WORK);
    expect((await demo.status()).phase).toBe("healthy");
    await countFromZero();
  };

  test("goes on by the same command where its run is killed while an old one leaves", () =>
    goesOn([{ in: "driver", text: /leave: its work leaves: broker-0-0/ }]));

  longTest.each<[string, readonly Mark[]]>([
    [
      "its run is killed while the new one is proven",
      [{ in: "driver", text: /gate: until what is new is whole, before the next machines go: broker-0-2/ }],
    ],
    [
      "its Terraform is killed while the first is made",
      [{ in: "terraform", text: /hook start-agents broker-0-2/ }],
    ],
    [
      "its Terraform is killed while the first goes",
      [
        { in: "driver", text: /leave: its work leaves: broker-0-0/ },
        { in: "terraform", text: /hook leave broker-0/ },
      ],
    ],
  ])("goes on by the same command where %s", (_, marks) => goesOn(marks));

  test("makes as many as may stand, and all old ones leave together", async () => {
    await demo.edit(["maxSurge: 1", "maxSurge: 2"]);
    await begin("ami-0fff");
    const { exitCode, output } = await start().end();
    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    const said = await course();
    const inPairs = [0, 2, 4, 6].flatMap((first) => said.slice(first, first + 2).sort());
    expect([...inPairs, ...said.slice(8)]).toEqual([
      "started broker-0-2",
      "started broker-0-3",
      ...["ineligible", "drain"].flatMap((what) => [`${what} broker-0-0`, `${what} broker-0-1`]),
      "killed broker-0-0 with 0 at work",
      "killed broker-0-1 with 0 at work",
    ]);
    expect(await movedTwice()).toBe(0);
    expect(await images()).toEqual(["broker-0-2 ami-0fff eligible", "broker-0-3 ami-0fff eligible"]);
    expect((await demo.status()).phase).toBe("healthy");
  });

  longTest("is finished by Terraform alone, which replaces what is left at once", async () => {
    await demo.edit(["maxSurge: 2", "maxSurge: 1"]);
    await begin("ami-0aaa");
    const run = start();
    await run.see({ in: "driver", text: /gate: until what is new is whole/ });
    await run.send("driver", "SIGKILL");
    await run.end();
    await quiet();
    await demo.roll("broker-0");
    expect(await images()).toEqual(["broker-0-0 ami-0aaa eligible", "broker-0-2 ami-0aaa eligible"]);
    expect(await work()).toBe(WORK);
    expect((await demo.status()).phase).toBe("healthy");
  });
});

const eventList = z.array(z.object({ machine: z.string(), what: z.string(), work: z.number().optional() }));
const nodeList = z.array(z.object({ ID: z.string(), Name: z.string(), Status: z.string() }));
const nodeDetail = z.object({
  Name: z.string(),
  SchedulingEligibility: z.string(),
  Meta: z.record(z.string(), z.string()),
});
const allocationList = z.array(z.object({ ClientStatus: z.string(), NodeID: z.string() }));
