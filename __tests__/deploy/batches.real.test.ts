import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { serviceJob } from "../contract/service-job.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { processesIn, RunningDeploy, until } from "./running-deploy.js";
import { idsOf, revisionsOf } from "./state-file.js";
import { Workspace } from "./workspace.js";

const three = (image: string): string =>
  `[${image}, ${image}, ${image}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
const SPEC = `name: demo
platform: local
local: { agents: simulated, speed: 100 }
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: ${three("ami-0aaa")} }
  nomad-server: { images: ${three("ami-0aaa")} }
  broker: { images: ${three("ami-0aaa")}, hosts: [3, 1, 1], maxUnavailable: 1, ready: { timeout: 4h }, bake: { time: 20s } }
`;

const HOSTS = ["broker-0-0", "broker-0-1", "broker-0-2"];

/** The cluster's service: so many allocations, always. */
const WORK = 6;

/** One cluster, rolled again and again: each test leaves it whole. What happened is what the simulated agents say. */
describeReal("A group that is replaced a machine at a time", ["terraform"], (real) => {
  let demo: Workspace;
  let machines: LocalMachines;
  let nodes: ReadonlyMap<string, string>;
  let seen = 0;

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

  const work = async (): Promise<number> =>
    allocationList
      .parse(await nomad("/v1/job/web/allocations"))
      .filter(({ ClientStatus }) => ClientStatus === "running").length;

  const start = (): RunningDeploy =>
    new RunningDeploy(demo.startDeploy("broker-0"), {
      folder: demo.folder,
      stateFile: demo.stateFile,
      runFolder: runFolder(),
      terraform: real.terraform,
    });

  /** From here on the log of the agents counts, and these are the machines of the group. */
  const begin = async (image: string): Promise<void> => {
    await demo.rollout(["set", "image", `broker-0=${image}`]);
    nodes = new Map((await nodesNow()).map(({ ID, Name }) => [ID, Name]));
    seen = eventList.parse(await control("/events")).length;
  };

  /** What has happened to the old machines of the group, one line each: `ineligible broker-0-1`. */
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

  test("has no more machines out at once than that, and drains none before all of them are ineligible", async () => {
    await begin("ami-0bbb");
    const { exitCode, output } = await start().end();
    expect(output.split("\n").at(-1)).toMatch(/^broker-0: rolled, revision 2, in /);
    expect(exitCode).toBe(0);
    expect(await course()).toEqual([
      ...HOSTS.map((host) => `ineligible ${host}`),
      ...HOSTS.flatMap((host) => [`drain ${host}`, `killed ${host} with 0 at work`, `started ${host}`]),
    ]);
    expect(await images()).toEqual(HOSTS.map((host) => `${host} ami-0bbb eligible`));
    expect(revisionsOf(await demo.state(), "broker-0").map(({ image }) => image)).toEqual([
      "ami-0aaa",
      "ami-0bbb",
    ]);
    expect(await work()).toBe(WORK);
    expect((await demo.status()).phase).toBe("healthy");
  });

  test("goes on with the machines that are left where its run is killed between two batches", async () => {
    await begin("ami-0ccc");
    const run = start();
    await run.see({ in: "driver", text: /leave: its work leaves: broker-0-1, while broker-0-2 waits/ });
    await run.send("driver", "SIGKILL");
    await run.end();
    await quiet();
    const { phase, next, groups } = await demo.status();
    expect({ phase, next }).toEqual({ phase: "in flight", next: "npx rollout deploy broker-0" });
    expect(groups.find(({ name }) => name === "broker-0")?.reason).toMatch(
      /^1 of 3 machines is of the desired template, /,
    );
    const made = idsOf(await demo.state()).get("terraform_data.broker-0-0");

    const { exitCode } = await start().end();
    expect(exitCode).toBe(0);
    expect(idsOf(await demo.state()).get("terraform_data.broker-0-0")).toBe(made);
    expect((await course()).filter((line) => /^(killed|started)/.test(line))).toEqual(
      HOSTS.flatMap((host) => [`killed ${host} with 0 at work`, `started ${host}`]),
    );
    expect(await images()).toEqual(HOSTS.map((host) => `${host} ami-0ccc eligible`));
    expect((await demo.status()).phase).toBe("healthy");
  });

  longTest("is taken back in the middle, whole and a machine at a time", async () => {
    await begin("ami-0ddd");
    const run = start();
    await run.see({
      in: "driver",
      text: /gate: until what is new is whole, before the next machines go: broker-0-0/,
    });
    await run.send("driver", "SIGINT");
    expect((await run.end()).exitCode).toBe(1);

    const undone = await demo.rollout(["undo", "broker-0"]);
    expect(undone.output).toContain("generation 0 -> 1");
    nodes = new Map((await nodesNow()).map(({ ID, Name }) => [ID, Name]));
    const { exitCode } = await start().end();
    expect(exitCode).toBe(0);
    const log = await course();
    expect(mostOut(log)).toBe(1);
    expect(log.filter((line) => line.startsWith("started"))).toEqual(
      ["broker-0-0", ...HOSTS].map((host) => `started ${host}`),
    );
    expect(await images()).toEqual(HOSTS.map((host) => `${host} ami-0ccc eligible`));
    expect((await demo.status()).phase).toBe("healthy");
  });

  longTest("goes on where its Terraform is killed within a batch", async () => {
    await begin("ami-0eee");
    const run = start();
    await run.see({ in: "driver", text: /leave: its work leaves: broker-0-1, while broker-0-2 waits/ });
    await run.see({ in: "terraform", text: /hook start-agents broker-0-1/ });
    await run.send("terraform", "SIGKILL");
    expect((await run.end()).exitCode).toBe(1);
    await quiet();

    const { exitCode } = await start().end();
    expect(exitCode).toBe(0);
    const out = mostOut(await course());
    expect(out).toBe(1);
    expect(await images()).toEqual(HOSTS.map((host) => `${host} ami-0eee eligible`));
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
const allocationList = z.array(z.object({ ClientStatus: z.string() }));

/** How many machines were out at once at most: drained or without power, and not started since. */
function mostOut(course: readonly string[]): number {
  const out = new Set<string>();
  let most = 0;
  for (const line of course) {
    const [what = "", host = ""] = line.split(" ");
    if (what === "drain" || what === "killed") out.add(host);
    if (what === "started") out.delete(host);
    most = Math.max(most, out.size);
  }
  return most;
}
