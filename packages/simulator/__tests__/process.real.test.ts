import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import * as z from "zod";
import { BROKERS, CONSUL_SERVERS, machine, NOMAD_SERVERS } from "./world.js";

/** As it is started: `npm test` builds it first. */
const MAIN = fileURLToPath(new URL("../../../dist/bin/simulator.js", import.meta.url));
const [BROKER] = BROKERS;
let folder = "";
let file = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-simulator-"));
  file = join(folder, "cluster.json");
  const machines = [...CONSUL_SERVERS, ...NOMAD_SERVERS, BROKER].map((name) => machine(name));
  await writeFile(file, JSON.stringify({ machines, jobs: [{ ID: "web", TaskGroups: [{ Count: 1 }] }] }));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the simulator as a process", () => {
  test("prints where its machines are, does what its control says and ends cleanly on SIGTERM", async () => {
    const running = execa("node", [MAIN, "--file", file, "--factor", "0.001"], { reject: false });
    const { control, machines } = await firstLine(running);
    const url = machines[BROKER]?.nomad ?? "";
    await until(async () => (await textOf(`${url}/v1/allocations`)).includes('"running"'));

    expect(await send(`${control}/faults`, "POST", { kind: "status", status: 403, path: "/v1/nodes" })).toBe(
      200,
    );
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(403);
    expect(await send(`${control}/faults`, "DELETE")).toBe(200);
    expect((await fetch(`${url}/v1/nodes`)).status).toBe(200);
    expect(await send(`${control}/machines/${BROKER}/retry-join`, "PUT", { retryJoin: ["10.0.1.1"] })).toBe(
      200,
    );
    expect(await send(`${control}/machines/${BROKER}/kill`, "POST")).toBe(200);
    await expect(fetch(`${url}/v1/nodes`)).rejects.toThrow("fetch failed");
    expect(await send(`${control}/machines`, "POST", { machine: machine(BROKER) })).toBe(200);
    await until(async () => (await textOf(`${url}/v1/nodes`)).split(BROKER).length > 2);
    expect(await send(`${control}/machines/nobody/kill`, "POST")).toBe(400);
    expect(await send(`${control}/nothing`, "POST")).toBe(404);

    running.kill("SIGTERM");
    expect(await running).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("ends when its parent is gone, if it is asked to", async () => {
    const parent = execa("node", [
      "--input-type=module",
      "-e",
      `import { spawn } from "node:child_process";
       const child = spawn("node", process.argv.slice(1), { stdio: ["ignore", "pipe", "ignore"] });
       child.stdout.once("data", (line) => process.stdout.write(line, () => process.exit(0)));`,
      MAIN,
      "--file",
      file,
      "--with-parent",
    ]);
    const { machines } = await firstLine(parent);
    await parent;
    await until(async () => !(await answers(`${machines[BROKER]?.consul ?? ""}/v1/agent/members`)));
  });

  test("refuses to start without a file or with a factor that is none", async () => {
    for (const wrong of [[], ["--file", file, "--factor", "0"]]) {
      const { exitCode, stderr } = await execa("node", [MAIN, ...wrong], { reject: false });
      expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: "usage: simulator.js --file cluster.json | --announce FILE [--factor 0.01] [--with-parent]",
      });
    }
  });
});

const printed = z.object({
  control: z.string(),
  machines: z.record(z.string(), z.object({ consul: z.string(), nomad: z.string() })),
});

/** Not by iterating: leaving the loop would wait for the process to end. */
async function firstLine({
  stdout,
}: {
  readonly stdout: NodeJS.ReadableStream;
}): Promise<z.infer<typeof printed>> {
  const line = await new Promise((resolve) => stdout.once("data", resolve));
  return printed.parse(JSON.parse(String(line)));
}

async function send(url: string, method: string, body?: unknown): Promise<number> {
  return (await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).status;
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
