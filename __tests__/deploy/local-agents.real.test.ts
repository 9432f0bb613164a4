import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { serviceJob } from "../contract/service-job.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { idsOf } from "./state-file.js";
import { STAGES } from "./stages.js";
import { Workspace } from "./workspace.js";

const three = "[ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [m6i.large, m6i.large, m6i.large]";
const SPEC = `name: demo
platform: local
local: { agents: simulated, speed: 30 }
backend: { type: local, path: terraform.demo.tfstate }
protection: on
pools:
  consul-server: { images: ${three} }
  nomad-server: { images: ${three} }
  broker: { images: ${three}, drain: { deadline: 10m }, ready: { timeout: 15m } }
`;

const COUNT = 3;

/** One cluster, rolled again and again: each test leaves it whole. What happened is what the simulated agents say. */
describeReal("A cluster of simulated agents on the local platform", ["terraform"], (real) => {
  let demo: Workspace;
  let machines: LocalMachines;
  let seen = 0;

  const control = async (): Promise<string> => {
    const file = join(demo.folder, ".rollout", "demo", "machines", "simulator.json");
    return z.object({ control: z.string() }).parse(JSON.parse(await readFile(file, "utf8"))).control;
  };

  const tell = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${await control()}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
  };

  const fault = (kind: string, machine: string, on: boolean): Promise<void> =>
    tell("/cluster-faults", { fault: kind, machine, on });

  /** What has happened since the last look, one line each: `broker-0-0 killed with 0 at work`. */
  const news = async (): Promise<string[]> => {
    const all = events.parse(await (await fetch(`${await control()}/events`)).json());
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh
      .filter(({ what }) => !what.includes("/acl/"))
      .map(({ machine, what, work }) =>
        [
          machine,
          what.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID"),
          ...(work === undefined ? [] : [`with ${String(work)} at work`]),
        ].join(" "),
      );
  };

  const setImage = async (group: string, image: string): Promise<void> => {
    await demo.rollout(["set", "image", `${group}=${image}`]);
  };

  const unsettled = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await demo.status()).groups.flatMap(({ name, state }) => (state === "current" ? [] : [[name, state]])),
    );

  /** What the agents report as their images, by machine: Consul's, and Nomad's of clients that are there. */
  const images = async (): Promise<Record<string, string>> => {
    const { consul } = machines.endpoints();
    const nodes = catalog.parse(await (await fetch(`${first(consul)}/v1/catalog/nodes`)).json());
    return Object.fromEntries(nodes.map(({ Node, Meta }) => [Node, Meta["rollout_image"] ?? ""]));
  };

  /** The service's work that runs: on which machines. */
  const work = async (): Promise<string[]> => {
    const { nomad } = machines.endpoints();
    const all = allocations.parse(await (await fetch(`${first(nomad)}/v1/job/web/allocations`)).json());
    return all.filter(({ ClientStatus }) => ClientStatus === "running").map(({ NodeName }) => NodeName);
  };

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    machines = localMachines(join(demo.folder, ".rollout", "demo"));
    await demo.roll("cluster");
    await tell("/jobs", serviceJob("web", COUNT));
    await until(async () => (await work()).length === COUNT);
    await news();
  });

  afterAll(async () => {
    await machines.stopAll();
    await demo.remove();
  });

  test("has every machine's agents, with the image that it was made from", async () => {
    expect(await images()).toEqual(Object.fromEntries(HOSTS.map((host) => [host, "ami-0aaa"])));
    expect(await unsettled()).toEqual({});
  });

  test("a client group is drained, leaves, is stopped without work, started, told and joined", async () => {
    const before = machines.get("broker-0-0");
    await setImage("broker-0", "ami-0bbb");
    await demo.roll("broker-0");

    const log = await news();
    inOrder(log, [
      /PUT \/nomad\/v1\/node\/ID\/eligibility$/,
      /PUT \/nomad\/v1\/node\/ID\/drain$/,
      /^broker-0-0 PUT \/consul\/v1\/agent\/leave$/,
      /^broker-0-0 killed with 0 at work$/,
      /^broker-0-0 started$/,
      /^broker-0-0 PUT \/consul\/v1\/agent\/reload$/,
      /^broker-0-0 PUT \/consul\/v1\/agent\/join\//,
      /PUT \/nomad\/v1\/node\/ID\/purge$/,
    ]);
    expect(log.filter((line) => line.endsWith("started"))).toEqual(["broker-0-0 started"]);
    expect(machines.get("broker-0-0").address).not.toBe(before.address);
    expect(await images()).toMatchObject({ "broker-0-0": "ami-0bbb", "broker-1-0": "ami-0aaa" });
    expect(await work()).toHaveLength(COUNT);
    expect(await unsettled()).toEqual({});
  });

  test("a Nomad server is stopped, leaves Consul, and its successor is started and joined", async () => {
    await setImage("nomad-server-1", "ami-0bbb");
    await demo.roll("nomad-server-1");

    const log = await news();
    inOrder(log, [
      /^nomad-server-1-0 nomad stopped$/,
      /^nomad-server-1-0 PUT \/consul\/v1\/agent\/leave$/,
      /^nomad-server-1-0 started$/,
      /^nomad-server-1-0 PUT \/consul\/v1\/agent\/join\//,
    ]);
    expect(log.filter((line) => line.endsWith("started"))).toEqual(["nomad-server-1-0 started"]);
    expect(await work()).toHaveLength(COUNT);
    expect(await unsettled()).toEqual({});
  });

  test("a Consul server leaves, and every machine learns of its successor's new address", async () => {
    const before = machines.get("consul-server-1-0").address;
    await setImage("consul-server-1", "ami-0bbb");
    await demo.roll("consul-server-1");

    const log = await news();
    inOrder(log, [
      /^consul-server-1-0 PUT \/consul\/v1\/agent\/leave$/,
      /^consul-server-1-0 started$/,
      /^consul-server-1-0 PUT \/consul\/v1\/agent\/join\//,
    ]);
    const started = log.indexOf("consul-server-1-0 started");
    const told = log.slice(started).filter((line) => line.endsWith("PUT /consul/v1/agent/reload"));
    expect(told.map((line) => line.split(" ")[0]).sort()).toEqual(HOSTS);
    const { address } = machines.get("consul-server-1-0");
    expect(address).not.toBe(before);
    for (const host of HOSTS) {
      const { content } = await machines.serversFile(host).read();
      expect(content).toContain(`"${address}"`);
      expect(content).not.toContain(`"${before}"`);
    }
    expect(await unsettled()).toEqual({});
  });

  test("refuses the leave where a check of the pool fails, also by Terraform alone, and nothing is done", async () => {
    const check = "ready: { timeout: 1m, checks: [{ name: answers, http: 'http://127.0.0.1:1/' }] }";
    await demo.edit(["ready: { timeout: 15m }", check]);
    await setImage("broker-1", "ami-0bbb");
    await demo.synth();
    await news();

    const { exitCode, errors } = await demo.apply("broker-1");

    expect(exitCode).toBe(1);
    expect(errors.join("\n").replace(/\s+/g, " ")).toContain("check answers: connection refused");
    expect((await news()).filter((line) => /started|killed|leave$|drain$|eligibility$/.test(line))).toEqual(
      [],
    );
    const { output } = await demo.rollout(["history", "broker-1", "--format", "json"]);
    expect((JSON.parse(output) as unknown[]).at(-1)).toMatchObject({
      ...{ image: "ami-0bbb", result: "failed", deployed: false },
      message: expect.stringMatching(/^hook leave broker-1: .*check answers: connection refused/s),
    });
    expect(await demo.status()).toMatchObject({ phase: "failed", lastRun: { command: "Terraform alone" } });
    await demo.edit([check, "ready: { timeout: 15m }"]);
  });

  test("a gate that fails leaves its group in flight, and the next run passes it without another machine", async () => {
    const check =
      "ready: { timeout: 1m, checks: [{ name: answers, http: 'http://127.0.0.1:1/', when: after }] }";
    await demo.edit(["ready: { timeout: 15m }", check]);
    await setImage("broker-1", "ami-0bbb");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("broker-1");

    expect(exitCode).toBe(1);
    expect(errors.join("\n")).toContain("connection refused");
    expect(await unsettled()).toEqual({ "broker-1": "in flight" });
    await news();
    await demo.edit([check, "ready: { timeout: 15m }"]);
    await demo.roll("broker-1");
    expect((await news()).filter((line) => /started|killed|leave$|drain$/.test(line))).toEqual([]);
    expect(await unsettled()).toEqual({});
  });

  test("a drain that hits its deadline stops nothing, and the next run goes on from there", async () => {
    await fault("endless-drain", "broker-2-0", true);
    await demo.edit(["deadline: 10m", "deadline: 30s"]);
    await setImage("broker-2", "ami-0bbb");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("broker-2");

    expect(exitCode).toBe(1);
    expect(errors.join("\n")).toMatch(/broker-2/);
    expect((await news()).filter((line) => /started|killed|leave$/.test(line))).toEqual([]);
    await fault("endless-drain", "broker-2-0", false);
    await demo.edit(["deadline: 30s", "deadline: 10m"]);
    await demo.roll("broker-2");
    inOrder(await news(), [
      /^broker-2-0 PUT \/consul\/v1\/agent\/leave$/,
      /^broker-2-0 killed with 0 at work$/,
      /^broker-2-0 started$/,
    ]);
    expect(await work()).toHaveLength(COUNT);
    expect(await unsettled()).toEqual({});
  });

  test("a start that fails taints only itself, and the next run starts the same machine again", async () => {
    await fault("never-back", "nomad-server-2-0", true);
    await setImage("nomad-server-2", "ami-0bbb");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("nomad-server-2");

    expect(exitCode).toBe(1);
    expect(errors.join("\n")).toContain("nomad-server-2-0: its agents did not start");
    const { groups } = await demo.status();
    expect(groups.find(({ name }) => name === "nomad-server-2")?.reason).toContain(
      "terraform_data.nomad-server-2-0-start-agents is tainted",
    );
    const host = idsOf(await demo.state()).get("terraform_data.nomad-server-2-0");
    await fault("never-back", "nomad-server-2-0", false);
    await news();
    await demo.roll("nomad-server-2");
    expect(idsOf(await demo.state()).get("terraform_data.nomad-server-2-0")).toBe(host);
    expect((await news()).filter((line) => line.endsWith("started"))).toEqual(["nomad-server-2-0 started"]);
    expect(await unsettled()).toEqual({});
  });

  longTest(
    "Ctrl-C at each stage of a roll ends no agent but the group's own, and the last run ends well",
    async () => {
      await setImage("broker-0", "ami-0ccc");
      await demo.synth();
      for (const stage of STAGES) {
        const { exitCode } = await demo.interruptAll("broker-0", stage);
        expect(exitCode).not.toBe(0);
        expect(await work()).toHaveLength(COUNT);
        expect(await unsettled()).toEqual({ "broker-0": "in flight" });
        await demo.synth();
      }
      await demo.roll("broker-0");
      const log = await news();
      expect(log.filter((line) => /killed|started/.test(line) && !line.startsWith("broker-0-0"))).toEqual([]);
      expect(log.filter((line) => /killed with [1-9]/.test(line))).toEqual([]);
      expect(await images()).toMatchObject({ "broker-0-0": "ami-0ccc" });
      expect(await unsettled()).toEqual({});
    },
  );

  longTest("a group that grows and shrinks has as many machines as it says", async () => {
    await demo.edit(["  broker: { ", "  broker: { hosts: [1, 2, 1], "]);
    await demo.roll("broker-1");
    expect((await news()).filter((line) => /started|killed|leave$|drain$/.test(line))).toEqual([
      "broker-1-1 started",
    ]);

    await demo.edit(["hosts: [1, 2, 1], ", ""]);
    await demo.roll("broker-1");
    inOrder(await news(), [
      /^broker-1-1 PUT \/consul\/v1\/agent\/leave$/,
      /^broker-1-1 killed with 0 at work$/,
    ]);
    expect(
      machines
        .list()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(HOSTS);
    expect(await unsettled()).toEqual({});
  });

  test("a teardown stops everything", async () => {
    const { pid } = z
      .object({ pid: z.number() })
      .parse(
        JSON.parse(
          await readFile(join(demo.folder, ".rollout", "demo", "machines", "simulator.json"), "utf8"),
        ),
      );
    await demo.edit(["protection: on", "protection: off"]);
    const { exitCode } = await demo.rollout(["destroy", "--confirm", "demo"]);
    expect(exitCode).toBe(0);
    expect(machines.list()).toEqual([]);
    await until(() => Promise.resolve(!isAlive(pid)));
    expect(await machines.stopAll()).toEqual([]);
  });
});

const HOSTS = ["broker", "consul-server", "nomad-server"].flatMap((pool) =>
  [0, 1, 2].map((index) => `${pool}-${String(index)}-0`),
);

const events = z.array(z.object({ machine: z.string(), what: z.string(), work: z.number().optional() }));
const catalog = z.array(z.object({ Node: z.string(), Meta: z.record(z.string(), z.string()) }));
const allocations = z.array(z.object({ NodeName: z.string(), ClientStatus: z.string() }));

const first = (urls: string): string => urls.split(",")[0] ?? "";

/** Each of the patterns is met after the one before it. */
function inOrder(log: readonly string[], patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const place = log.findIndex((line, index) => index >= from && pattern.test(line));
    if (place === -1) throw new Error(`${String(pattern)} is not met in its order:\n${log.join("\n")}`);
    from = place + 1;
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it has not become so");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
