import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { MARKER, markedProcesses } from "../../clients/local-machines/marked-processes.js";
import { MachinesFolder } from "../../clients/local-machines/machines-folder.js";
import { SimulatorProcess } from "../../clients/local-machines/simulator-process.js";
import { describeReal } from "../support/environment.js";
import { isLong, longTest } from "../support/long.js";
import { Workspace } from "./workspace.js";
import { WriteLoad } from "./write-load.js";

const three =
  "images: [ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [small, small, small], bake: { time: 2s }";
const SPEC = `name: demo
platform: local
local: { agents: real }
backend: { type: local, path: terraform.demo.tfstate }
rollout: { pendingGroups: queue }
pools:
  consul-server: { ${three} }
  nomad-server: { ${three} }
  broker: { ${three} }
`;

/** A server's leave, its successor's vote and its bake take about a minute, and two of them go in one roll. */
const LONG_MS = 600_000;

const STAND_IN = fileURLToPath(new URL("../support/nomad-stand-in.mjs", import.meta.url));

describeReal(
  "A cluster of real Consul agents on the local platform, with a stand-in for Nomad",
  ["terraform", "consul"],
  (real) => {
    let demo: Workspace;
    let machines: LocalMachines;
    let standIn: SimulatorProcess;
    let before: readonly string[];
    let load: WriteLoad;

    beforeAll(async () => {
      demo = await Workspace.create(real, SPEC);
      const simulator = join(demo.folder, "stand-in");
      const bin = join(demo.folder, "bin");
      await Promise.all([mkdir(simulator), mkdir(bin)]);
      standIn = new SimulatorProcess(new MachinesFolder(simulator));
      const { control } = await standIn.start(1, new AbortController().signal);
      const nomad = join(bin, "nomad");
      await writeFile(nomad, `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "${control}" "$@"\n`);
      await chmod(nomad, 0o700);
      const path = [bin, dirname(real.consul), process.env["PATH"]].join(":");
      demo = demo.with({ PATH: path });
      machines = localMachines(join(demo.folder, ".rollout", "demo"));
      await demo.roll("cluster");
      before = addressesOf(machines);
      load = new WriteLoad(machines);
    });

    afterAll(async () => {
      await load.stop();
      await machines.stopAll();
      await standIn.end();
      await demo.remove();
    });

    const groups = (isLong ? [0, 1, 2] : [0]).map((index) => `consul-server-${String(index)}`);

    // Each has the time of a test: an agent that missed a goodbye takes a while to accept the server that has its name now.
    test.each(groups)("%s is rolled under a load of writes", async (group) => {
      await demo.rollout(["set", "image", `${group}=ami-0bbb`]);
      await demo.roll(group);
    });

    test("of what was acknowledged meanwhile none is lost, and every machine knows the new servers", async () => {
      const { acknowledged, lost } = await load.end();

      expect(acknowledged.length).toBeGreaterThan(100);
      expect(lost).toEqual([]);
      const after = addressesOf(machines);
      expect(after.filter((address) => !before.includes(address))).toHaveLength(groups.length);
      for (const { name } of machines.list()) {
        const { content = "" } = await machines.serversFile(name).read();
        expect(
          z
            .object({ retry_join: z.array(z.string()) })
            .parse(JSON.parse(content))
            .retry_join.sort(),
        ).toEqual(after);
      }
      const told = await Promise.all(
        machines
          .list()
          .filter(({ role }) => role !== "consul-server")
          .map(({ name }) => serverChanges(demo, name, before)),
      );
      expect(told).toContainEqual(groups.flatMap((group) => [`Leave ${group}-0`, `Join ${group}-0`]));
      const { groups: states } = await demo.status();
      expect(states.filter(({ state }) => state !== "current")).toEqual([]);
    });

    const deploy = async (what: string): Promise<void> => {
      const confirmed = ["consul-server-0", "consul-server-1", "consul-server-2"];
      const words = ["deploy", what, "--yes", "--confirm", ...confirmed];
      const { exitCode, output } = await demo.rollout(words, { CDKTF_OUTDIR: demo.output });
      if (exitCode !== 0) throw new Error(output);
    };
    const servers = (): Map<string, string> =>
      new Map(
        machines
          .list()
          .flatMap(({ name, role, address }) => (role === "consul-server" ? [[name, address]] : [])),
      );

    longTest(
      "three servers become five, and none that stands is touched",
      async () => {
        const three = servers();
        await demo.edit([`consul-server: {`, "consul-server: { hosts: [2, 2, 1],"]);
        await deploy("consul-server");
        const five = servers();
        expect([...five.keys()].filter((name) => !three.has(name)).sort()).toEqual([
          "consul-server-0-1",
          "consul-server-1-1",
        ]);
        for (const [name, address] of three) expect(five.get(name)).toBe(address);
        expect(await votersOf(machines)).toEqual([...five.keys()].sort());
      },
      LONG_MS,
    );

    longTest(
      "two servers of a group are rolled under a load of writes, and none of these is lost",
      async () => {
        const old = servers();
        const writes = new WriteLoad(machines);
        await demo.rollout(["set", "image", "consul-server-0=ami-0ccc"]);
        await deploy("consul-server-0");
        const { acknowledged, lost } = await writes.end();
        await writes.stop();
        expect(acknowledged.length).toBeGreaterThan(100);
        expect(lost).toEqual([]);
        const now = servers();
        const replaced = [...now].flatMap(([name, address]) => (old.get(name) === address ? [] : [name]));
        expect(replaced.sort()).toEqual(["consul-server-0-0", "consul-server-0-1"]);
        expect(await votersOf(machines)).toEqual([...now.keys()].sort());
      },
    );

    test("everything is found by its marker and ended, also what has lost its agent", async () => {
      const marker = join(demo.folder, ".rollout", "demo", "machines", "broker-0-0");
      const orphan = spawn("sh", ["-c", "trap '' TERM; echo deaf; exec tail -f /dev/null"], {
        detached: true,
        stdio: ["ignore", "pipe", "ignore"],
        env: { PATH: process.env["PATH"], [MARKER]: marker },
      });
      const ended = new Promise((resolve) =>
        orphan.once("exit", (_, by) => {
          resolve(by);
        }),
      );
      await once(orphan.stdout, "data");
      const stranger = spawn("tail", ["-f", "/dev/null"], {
        stdio: "ignore",
        env: {
          PATH: process.env["PATH"],
          [MARKER]: `${demo.folder}/.rollout/demo/machines-of-others/broker-0-0`,
        },
      });

      const said = await machines.stopAll();

      // Nine of Consul, six of Nomad, the orphan; in the long form two servers more.
      expect(said[0]).toBe(`${isLong ? "18" : "16"} processes of real agents`);
      expect(await ended).toBe("SIGKILL");
      expect(markedProcesses((each) => each.startsWith(`${demo.folder}/.rollout/demo/machines/`))).toEqual(
        [],
      );
      expect(stranger.exitCode).toBeNull();
      stranger.kill();
    });
  },
);

/**
 * What an agent saw of the servers' goodbyes and of their successors. On a busy machine it takes one for failed now and then,
 * or learns late of another, so that it is enough if one agent saw them in turn.
 */
async function serverChanges(demo: Workspace, name: string, before: readonly string[]): Promise<string[]> {
  const log = await readFile(join(demo.folder, ".rollout", "demo", "machines", name, "consul.log"), "utf8");
  const changes = [...log.matchAll(/EventMember(Leave|Join): (consul-server-\d-0) (\S+)/g)]
    .filter(([, what, , address = ""]) => what === "Leave" || !before.includes(address))
    .map(([, what, who]) => `${String(what)} ${String(who)}`);
  return [...new Set(changes)];
}

/** The names of the servers that vote, as one of them says. */
async function votersOf(machines: LocalMachines): Promise<string[]> {
  const [url = ""] = machines.endpoints().consul.split(",");
  const { Servers } = z
    .object({ Servers: z.array(z.object({ Node: z.string(), Voter: z.boolean() })) })
    .parse(await (await fetch(`${url}/v1/operator/raft/configuration`)).json());
  return Servers.flatMap(({ Node, Voter }) => (Voter ? [Node] : [])).sort();
}

const addressesOf = (machines: LocalMachines): string[] =>
  machines
    .list()
    .flatMap(({ role, address }) => (role === "consul-server" ? [address] : []))
    .sort();
