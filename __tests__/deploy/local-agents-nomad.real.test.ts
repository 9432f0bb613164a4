import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { markedProcesses } from "../../clients/local-machines/marked-processes.js";
import { serviceJob } from "../contract/service-job.js";
import { describeReal } from "../support/environment.js";
import { NodeEvents } from "./node-events.js";
import { idsOf } from "./state-file.js";
import { STAGES } from "./stages.js";
import { Workspace } from "./workspace.js";
import { WriteLoad } from "./write-load.js";

jest.setTimeout(900_000);

const three = "[ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [small, small, small], bake: { time: 2s }";
const SPEC = `name: demo
platform: local
local: { agents: real }
backend: { type: local, path: terraform.demo.tfstate }
protection: on
pools:
  consul-server: { images: ${three} }
  nomad-server: { images: ${three} }
  broker: { images: ${three}, hosts: [2, 1, 1], drain: { deadline: 10m }, ready: { timeout: 15m } }
`;

const COUNT = 6;

/** One cluster, rolled again and again: each test leaves it whole. What happened is what Nomad and Consul themselves say. */
describeReal("A cluster of real agents on the local platform", ["terraform", "consul", "nomad"], (real) => {
  let demo: Workspace;
  let machines: LocalMachines;
  let load: WriteLoad | undefined;
  /** Where this file is, no Nomad starts. */
  let broken: string;

  const nomadOf = (host: string): string => machines.get(host).nomad ?? "";

  const setImage = async (group: string, image: string): Promise<void> => {
    await demo.rollout(["set", "image", `${group}=${image}`]);
  };

  const unsettled = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await demo.status()).groups.flatMap(({ name, state }) => (state === "current" ? [] : [[name, state]])),
    );

  const imageOf = async (host: string): Promise<string | undefined> => {
    const nodes = catalog.parse(
      await get(`${machines.endpoints().consul.split(",")[0] ?? ""}/v1/catalog/nodes`),
    );
    return nodes.find(({ Node }) => Node === host)?.Meta["rollout_image"];
  };

  const work = async (): Promise<z.output<typeof allocations>> =>
    allocations.parse(await get(`${nomadOf("nomad-server-0-0")}/v1/job/web/allocations`));

  const run = async (job: object): Promise<void> => {
    const body = JSON.stringify({ Job: job });
    const response = await fetch(`${nomadOf("nomad-server-0-0")}/v1/jobs`, { method: "PUT", body });
    if (!response.ok) throw new Error(await response.text());
  };

  const runs = async (): Promise<number> =>
    (await work()).filter(({ ClientStatus }) => ClientStatus === "running").length;

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    const bin = join(demo.folder, "bin");
    broken = join(bin, "broken");
    await mkdir(bin);
    const path = process.env["PATH"] ?? "";
    await writeFile(
      join(bin, "nomad"),
      `#!/bin/sh\n[ -e '${broken}' ] && exit 1\nPATH='${path}' exec nomad "$@"\n`,
    );
    await chmod(join(bin, "nomad"), 0o700);
    demo = demo.with({ PATH: `${bin}:${path}` });
    machines = localMachines(join(demo.folder, ".rollout", "demo"));
    await demo.roll("cluster");
    await run(serviceJob("web", COUNT));
    await until("the work runs", async () => (await runs()) === COUNT);
    load = new WriteLoad(machines);
  });

  afterAll(async () => {
    await load?.end().catch(() => undefined);
    await machines.stopAll();
    await demo.remove();
  });

  test("a client group is made ineligible as a whole, then drained; its work moves once, its records go", async () => {
    const before = await work();
    const going = await nodesOf(nomadOf("nomad-server-0-0"), "broker-0-");
    const events = await NodeEvents.of(nomadOf("nomad-server-0-0"));
    await setImage("broker-0", "ami-0bbb");
    await demo.roll("broker-0");
    const seen = (await events.end()).filter(({ node }) => going.has(node));

    const told = seen.map(({ what, node }) => `${what} ${going.get(node) ?? ""}`);
    const first = (line: string): number => told.indexOf(line);
    const ineligible = ["broker-0-0", "broker-0-1"].map((host) => first(`NodeEligibility ${host}`));
    const drained = ["broker-0-0", "broker-0-1"].map((host) => first(`NodeDrain ${host}`));
    expect(Math.min(...ineligible)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ineligible)).toBeLessThan(Math.min(...drained));
    const known = await nodesOf(nomadOf("nomad-server-0-0"), "broker-0-");
    expect([...known.values()].sort()).toEqual(["broker-0-0", "broker-0-1"]);
    expect([...known.keys()].filter((id) => going.has(id))).toEqual([]);

    const ids = new Set(before.map(({ ID }) => ID));
    const moved = before.filter(({ NodeName }) => NodeName.startsWith("broker-0-"));
    const placed = (await work()).filter(({ ID }) => !ids.has(ID));
    expect(moved.length).toBeGreaterThan(0);
    expect(placed.map(({ Name }) => Name).sort()).toEqual(moved.map(({ Name }) => Name).sort());
    expect(placed.filter(({ NodeID }) => going.has(NodeID))).toEqual([]);
    expect(await runs()).toBe(COUNT);
    expect(await imageOf("broker-0-1")).toBe("ami-0bbb");
    expect(await unsettled()).toEqual({});
  });

  test("a Nomad server that leads hands over, leaves both clusters, and its successor votes", async () => {
    const leader = await leaderOf(nomadOf("nomad-server-0-0"));
    const group = leader.replace(/-\d+$/, "");
    const others = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"].filter(
      (host) => host !== leader,
    );
    await setImage(group, "ami-0bbb");
    await demo.roll(group);

    // In the words of two that have seen it: they learn of the machine's leave, not of its death.
    for (const host of others) {
      const log = await readFile(join(demo.folder, `.rollout/demo/machines/${host}/nomad.log`), "utf8");
      const changes = [...log.matchAll(new RegExp(`serf: EventMember(\\w+): ${leader}\\.global`, "g"))];
      expect(changes.map(([, what]) => what).slice(-2)).toEqual(["Leave", "Join"]);
    }
    const { servers, tolerance } = await autopilotOf(nomadOf(others[0] ?? ""));
    expect(servers).toEqual([
      "nomad-server-0-0.global",
      "nomad-server-1-0.global",
      "nomad-server-2-0.global",
    ]);
    expect(tolerance).toBe(1);
    expect(await runs()).toBe(COUNT);
    expect(await imageOf(leader)).toBe("ami-0bbb");
    expect(await unsettled()).toEqual({});
  });

  test("a Consul server leaves, and every agent, on every machine, knows its successor alone", async () => {
    const before = machines.get("consul-server-1-0").address;
    await setImage("consul-server-1", "ami-0bbb");
    await demo.roll("consul-server-1");

    const { address } = machines.get("consul-server-1-0");
    expect(address).not.toBe(before);
    for (const { consul } of machines.list()) {
      const known = members.parse(await get(`${consul}/v1/agent/members`));
      const alive = known.filter(({ Name, Status }) => Name === "consul-server-1-0" && Status === 1);
      expect(alive.map(({ Addr }) => Addr)).toEqual([address]);
    }
    expect(await unsettled()).toEqual({});
  });

  test("a gate that fails leaves its group in flight, and the next run passes it without another machine", async () => {
    const check =
      "ready: { timeout: 30s, checks: [{ name: answers, http: 'http://127.0.0.1:1/', when: after }] }";
    await demo.edit(["ready: { timeout: 15m }", check]);
    await setImage("broker-1", "ami-0bbb");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("broker-1");

    expect(exitCode).toBe(1);
    expect(errors.join("\n")).toContain("connection refused");
    expect(await unsettled()).toEqual({ "broker-1": "in flight" });
    const { address } = machines.get("broker-1-0");
    await demo.edit([check, "ready: { timeout: 15m }"]);
    await demo.roll("broker-1");
    expect(machines.get("broker-1-0").address).toBe(address);
    expect(await unsettled()).toEqual({});
  });

  test("a drain that hits its deadline takes no machine, and the next run goes on once the work was seen to", async () => {
    await run(batchJob("long", "broker-2-0"));
    const batch = async (): Promise<string[]> => {
      const found = await get(`${nomadOf("nomad-server-0-0")}/v1/job/long/allocations`);
      return allocations.parse(found).map(({ ClientStatus }) => ClientStatus);
    };
    await until("the long work runs", async () => (await batch()).includes("running"));
    const { address } = machines.get("broker-2-0");
    await demo.edit(["deadline: 10m", "deadline: 10s"]);
    await setImage("broker-2", "ami-0bbb");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("broker-2");

    expect(exitCode).toBe(1);
    // Nomad itself has stopped the work then.
    expect(errors.join("\n")).toContain(
      "its drain was ended by the deadline, so work was stopped before it had left",
    );
    expect(await batch()).toEqual(["complete"]);
    expect(machines.get("broker-2-0").address).toBe(address);
    await fetch(`${nomadOf("nomad-server-0-0")}/v1/job/long`, { method: "DELETE" });
    const [id = ""] = [...(await nodesOf(nomadOf("nomad-server-0-0"), "broker-2-")).keys()];
    const body = JSON.stringify({ Eligibility: "eligible" });
    await fetch(`${nomadOf("nomad-server-0-0")}/v1/node/${id}/eligibility`, { method: "PUT", body });
    await demo.edit(["deadline: 10s", "deadline: 10m"]);
    await demo.roll("broker-2");
    expect(await imageOf("broker-2-0")).toBe("ami-0bbb");
    expect(await runs()).toBe(COUNT);
    expect(await unsettled()).toEqual({});
  });

  test("a start that fails taints only itself, and the next run starts the same machine", async () => {
    await writeFile(broken, "");
    await setImage("broker-2", "ami-0ccc");
    await demo.synth();

    const { exitCode, errors } = await demo.apply("broker-2");

    expect(exitCode).toBe(1);
    expect(errors.join("\n")).toContain("broker-2-0: nomad did not start");
    const host = idsOf(await demo.state()).get("terraform_data.broker-2-0");
    await rm(broken);
    await demo.roll("broker-2");
    expect(idsOf(await demo.state()).get("terraform_data.broker-2-0")).toBe(host);
    expect(await imageOf("broker-2-0")).toBe("ami-0ccc");
    expect(await unsettled()).toEqual({});
  });

  test("Ctrl-C at each stage of a roll ends no work, and the last run ends well", async () => {
    await setImage("broker-0", "ami-0ccc");
    await demo.synth();
    for (const stage of STAGES) {
      const { exitCode } = await demo.interruptAll("broker-0", stage);
      expect(exitCode).not.toBe(0);
      expect(await unsettled()).toEqual({ "broker-0": "in flight" });
      await demo.synth();
    }
    await demo.roll("broker-0");
    expect(await runs()).toBe(COUNT);
    expect((await work()).filter(({ ClientStatus }) => ClientStatus === "lost")).toEqual([]);
    expect(await imageOf("broker-0-0")).toBe("ami-0ccc");
    expect(await unsettled()).toEqual({});
  });

  test("no write that Consul acknowledged in all this time is lost", async () => {
    const { acknowledged = [], lost } = (await load?.end()) ?? {};
    expect(acknowledged.length).toBeGreaterThan(1000);
    expect(lost).toEqual([]);
  });

  test("a teardown leaves no process, tasks of Nomad included", async () => {
    await demo.edit(["protection: on", "protection: off"]);
    await demo.synth();
    const { exitCode } = await demo.terraform("cluster", ["destroy", "-auto-approve"]);
    expect(exitCode).toBe(0);
    expect(machines.list()).toEqual([]);
    expect(markedProcesses((marker) => marker.startsWith(`${demo.folder}/`))).toEqual([]);
  });
});

const allocations = z.array(
  z.object({
    ID: z.string(),
    Name: z.string(),
    NodeID: z.string(),
    NodeName: z.string(),
    ClientStatus: z.string(),
  }),
);
const catalog = z.array(z.object({ Node: z.string(), Meta: z.record(z.string(), z.string()) }));
const members = z.array(z.object({ Name: z.string(), Addr: z.string(), Status: z.number() }));
const nodes = z.array(z.object({ ID: z.string(), Name: z.string() }));
const health = z.object({
  FailureTolerance: z.number(),
  Servers: z.array(z.object({ Name: z.string(), Leader: z.boolean(), Voter: z.boolean() })),
});

async function get(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** The names of nodes by their ids, of all that Nomad has a record of. */
async function nodesOf(nomad: string, prefix: string): Promise<ReadonlyMap<string, string>> {
  const all = nodes.parse(await get(`${nomad}/v1/nodes`));
  return new Map(all.filter(({ Name }) => Name.startsWith(prefix)).map(({ ID, Name }) => [ID, Name]));
}

async function autopilotOf(nomad: string): Promise<{ servers: string[]; tolerance: number }> {
  const { FailureTolerance, Servers } = health.parse(await get(`${nomad}/v1/operator/autopilot/health`));
  const voters = Servers.filter(({ Voter }) => Voter).map(({ Name }) => Name);
  return { servers: voters.sort(), tolerance: FailureTolerance };
}

async function leaderOf(nomad: string): Promise<string> {
  const { Servers } = health.parse(await get(`${nomad}/v1/operator/autopilot/health`));
  const leader = Servers.find(({ Leader }) => Leader)?.Name.replace(/\.global$/, "");
  if (leader === undefined) throw new Error("nobody leads");
  return leader;
}

/** Work that a drain waits for: it does not end by itself. */
const batchJob = (id: string, host: string): object => ({
  ID: id,
  Name: id,
  Type: "batch",
  Datacenters: ["dc1"],
  Constraints: [{ LTarget: "${node.unique.name}", Operand: "=", RTarget: host }],
  TaskGroups: [
    {
      Name: "g",
      Count: 1,
      Tasks: [
        {
          Name: "t",
          Driver: "raw_exec",
          Config: { command: "/bin/sleep", args: ["100000"] },
          Resources: { CPU: 20, MemoryMB: 20 },
        },
      ],
    },
  ],
});

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it has not become so: ${what}`);
}
