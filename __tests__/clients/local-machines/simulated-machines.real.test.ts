import { existsSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../../clients/local-machines/machines.js";

const { signal } = new AbortController();
const announced = z.object({ control: z.string(), pid: z.number() });
let folder = "";
let machines: LocalMachines;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "rollout-machines-")));
  machines = localMachines(join(folder, ".rollout", "demo"));
});

afterEach(async () => {
  await machines.stopAll();
  await rm(folder, { recursive: true, force: true });
});

test("machines that are started at once share one simulator, and each answers under its name", async () => {
  await Promise.all(servers.map((name) => start(name)));

  const list = machines.list();
  expect(list.map(({ name }) => name).sort()).toEqual(servers);
  expect(new Set(list.map(({ address }) => address)).size).toBe(3);
  expect(machines.endpoints()).toEqual({ consul: list.map(({ consul }) => consul).join(","), nomad: "" });
  for (const { name, consul } of list) expect(await nodeName(consul)).toBe(name);
  const { control } = await simulator();
  const known: unknown = await (await fetch(`${control}/machines`)).json();
  expect(Object.keys(z.object({ machines: z.looseObject({}) }).parse(known).machines).sort()).toEqual(
    servers,
  );
});

test("a machine that is started again is another one at another address", async () => {
  await Promise.all(servers.map((name) => start(name)));
  const [before, id] = [machines.get(CS1), await nodeId(machines.get(CS1).consul)];

  await start(CS1);

  expect(machines.get(CS1).address).not.toBe(before.address);
  expect(await nodeId(machines.get(CS1).consul)).not.toBe(id);
  expect(machines.list().at(-1)?.name).toBe(CS1);
});

test("a start that fails is started again by the next", async () => {
  await Promise.all(servers.slice(0, 2).map((name) => start(name)));
  const { control } = await simulator();
  const fault = (on: boolean) =>
    fetch(`${control}/cluster-faults`, {
      method: "POST",
      body: JSON.stringify({ fault: "never-back", machine: "consul-server-2-0", on }),
    });
  await fault(true);
  await expect(start("consul-server-2-0")).rejects.toThrow("consul-server-2-0: its agents did not start");
  expect(machines.list()).toHaveLength(2);
  await fault(false);
  await start("consul-server-2-0");
  expect(await nodeName(machines.get("consul-server-2-0").consul)).toBe("consul-server-2-0");
  const happened = z.array(z.object({ machine: z.string(), what: z.string() }));
  expect(happened.parse(await (await fetch(`${control}/events`)).json())).toEqual(
    servers.map((machine) => ({ machine, what: "started" })),
  );
});

test("the simulator ends with the last machine, and a first one starts another", async () => {
  await start(CS1);
  await start("broker-0-0", "client");
  const { control } = await simulator();
  await machines.stop(CS1, signal);
  expect((await fetch(`${control}/machines`)).ok).toBe(true);
  await machines.stop("broker-0-0", signal);
  await expect(fetch(`${control}/machines`)).rejects.toThrow("fetch failed");
  expect(machines.list()).toEqual([]);
  await machines.stop("broker-0-0", signal);

  await start(CS1);
  expect((await simulator()).control).not.toBe(control);
});

test("stopAll ends everything, says what it was, and finds nothing more", async () => {
  await start(CS1);
  const { control, pid } = await simulator();
  expect(await machines.stopAll()).toEqual(["the simulator", CS1]);
  await expect(fetch(`${control}/machines`)).rejects.toThrow("fetch failed");
  await until(() => !isAlive(pid));
  expect(existsSync(join(folder, ".rollout", "demo", "machines"))).toBe(false);
  expect(await machines.stopAll()).toEqual([]);
});

test("the simulator ends by itself once its folder is gone", async () => {
  await start(CS1);
  const { pid } = await simulator();
  await rm(folder, { recursive: true });
  await until(() => !isAlive(pid));
});

test("refuses a machine after the simulator has died with others", async () => {
  await start(CS1);
  const { pid } = await simulator();
  process.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid));
  await expect(start("broker-0-0", "client")).rejects.toThrow(
    "the simulator is gone, and all machines with it; destroy the cluster with protection: off, and create it again",
  );
  await machines.stop(CS1, signal);
  await start(CS1);
  expect(await nodeName(machines.get(CS1).consul)).toBe(CS1);
});

test("the list of servers is on the machine's disk, with a note until its agent has read it", async () => {
  await start(CS1);
  const file = machines.serversFile(CS1);
  expect(await file.read()).toEqual({ content: undefined, reloadDue: false });
  const content = '{ "retry_join": ["10.0.0.1"] }\n';
  await file.write(content);
  expect(await machines.serversFile(CS1).read()).toEqual({ content, reloadDue: true });
  await file.reloaded();
  expect(await file.read()).toEqual({ content, reloadDue: false });
});

test("the cluster's time is real time, times its speed, from the simulator's start on", async () => {
  expect([machines.speed, machines.timeAt(7)]).toEqual([1, 7]);
  await start(CS1);
  const { since } = z
    .object({ since: z.iso.datetime() })
    .parse(JSON.parse(await readFile(announcementFile(), "utf8")));
  expect(machines.speed).toBeCloseTo(20);
  expect(machines.timeAt(Date.parse(since) + 1000)).toBeCloseTo(Date.parse(since) + 20_000);
});

test("refuses real agents beside simulated ones, and a machine that does not run", async () => {
  await start(CS1);
  const order = { name: "broker-0-0", role: "client", servers: 3, meta: {}, speed: 1 } as const;
  await expect(machines.start("real", order, signal)).rejects.toThrow(
    `broker-0-0 cannot have real agents: those of ${CS1} are simulated; set local.agents back, or destroy the cluster first`,
  );
  expect(() => machines.get("broker-0-0")).toThrow(
    `no machine broker-0-0 runs on platform local (${join(folder, ".rollout", "demo", "machines")})`,
  );
});

const servers = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"];
const CS1 = "consul-server-1-0";

const start = (name: string, role: "consul-server" | "client" = "consul-server"): Promise<void> =>
  machines.start("simulated", { name, role, servers: 3, meta: { rollout_host: name }, speed: 20 }, signal);

const announcementFile = (): string => join(folder, ".rollout", "demo", "machines", "simulator.json");

const simulator = async () => announced.parse(JSON.parse(await readFile(announcementFile(), "utf8")));

const self = z.object({ Config: z.object({ NodeName: z.string(), NodeID: z.string() }) });
const configOf = async (consul: string) =>
  self.parse(await (await fetch(`${consul}/v1/agent/self`)).json()).Config;
const nodeName = async (consul: string): Promise<string> => (await configOf(consul)).NodeName;
const nodeId = async (consul: string): Promise<string> => (await configOf(consul)).NodeID;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it has not become so");
}
