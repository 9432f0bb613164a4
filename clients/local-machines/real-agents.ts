import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import { findProgram } from "../terraform/find.js";
import { putFile } from "../put-file.js";
import type { AgentsRunner, MachineOrder } from "./agents-runner.js";
import { withFolderLock } from "./folder-lock.js";
import type { LocalMachine, MachinesFolder } from "./machines-folder.js";
import { endMarked, isMarked, MARKER, signalMarked } from "./marked-processes.js";
import { unmountBelow } from "./mounts.js";
import { poll } from "./poll.js";
import { consulSettings, nomadSettings } from "./real-settings.js";

const CONSUL_PORT = 8500;
const NOMAD_PORT = 4646;

/** Each agent listens at these of its address. */
const PORTS = [CONSUL_PORT, 8300, 8301, NOMAD_PORT, 4647, 4648];

const ANSWER_MS = 60_000;
/** A server that leaves takes seconds; systemd itself gives up after 90 s. */
const STOP_MS = 100_000;

interface Started {
  readonly what: "consul" | "nomad";
  readonly process: ChildProcess;
  readonly url: string;
  readonly log: string;
}

/** The real agents, as processes of the user: on Linux, where each machine has a loopback address of its own. */
export class RealAgents implements AgentsRunner {
  constructor(private readonly folder: MachinesFolder) {}

  async start(order: MachineOrder, signal: AbortSignal): Promise<void> {
    needsLinux();
    const consul = await find("consul");
    const nomad = order.role === "consul-server" ? undefined : await find("nomad");
    const started = await withFolderLock(this.folder.path, signal, () => this.#spawn(order, consul, nomad));
    for (const each of started) await answer(each, order.name, signal);
  }

  async #spawn(order: MachineOrder, consul: string, nomad: string | undefined): Promise<Started[]> {
    const { name, role } = order;
    const address = await this.#freeAddress();
    const number = randomInt(1_000_000);
    const folder = this.folder.empty(name);
    const consulUrl = `http://${address}:${String(CONSUL_PORT)}`;
    const nomadUrl = `http://${address}:${String(NOMAD_PORT)}`;
    const consulFolder = this.folder.consulFolderOf(name);
    const settings = consulSettings(order, address, join(folder, "consul"));
    putFile(join(consulFolder, "agent.json"), JSON.stringify(settings, null, 2));
    const started = [
      this.#agent("consul", consul, ["agent", `-config-dir=${consulFolder}`], folder, consulUrl),
    ];
    if (nomad !== undefined) {
      const nomadFolder = join(folder, "nomad.d");
      mkdirSync(nomadFolder, { mode: 0o700 });
      const settings = nomadSettings(order, address, join(folder, "nomad"), number);
      putFile(join(nomadFolder, "agent.json"), JSON.stringify(settings, null, 2));
      started.push(this.#agent("nomad", nomad, ["agent", `-config=${nomadFolder}`], folder, nomadUrl));
    }
    const pid = started[1]?.process.pid;
    this.folder.write({
      name,
      role,
      agents: "real",
      address,
      consul: consulUrl,
      ...(nomad === undefined ? {} : { nomad: nomadUrl }),
      startedAt: new Date().toISOString(),
      ...(pid === undefined ? {} : { pids: { nomad: pid } }),
    });
    return started;
  }

  /** Starts an agent, out of reach of the signals to whoever starts it. */
  #agent(
    what: Started["what"],
    program: string,
    args: readonly string[],
    folder: string,
    url: string,
  ): Started {
    const log = join(folder, `${what}.log`);
    const output = openSync(log, "a", 0o600);
    const child = spawn(program, [...args], {
      cwd: folder,
      detached: true,
      stdio: ["ignore", output, output],
      env: environmentOf(folder),
    });
    closeSync(output);
    child.unref();
    // Told by `answer`; without a listener it would end this process.
    child.on("error", () => undefined);
    return { what, process: child, url, log };
  }

  /** An address in 127.0.0.0/8 that no other machine has, and at which nobody listens. */
  async #freeAddress(): Promise<string> {
    const taken = new Set(this.folder.list().map(({ address }) => address));
    for (;;) {
      const address = ["127", randomInt(64, 250), randomInt(1, 250), randomInt(1, 250)].join(".");
      if (!taken.has(address) && (await isFree(address))) return address;
    }
  }

  async stop(name: string): Promise<void> {
    await endMarked((marker) => marker === this.folder.folderOf(name));
    unmountBelow(this.folder.folderOf(name));
  }

  async stopNomad(machine: LocalMachine, signal: AbortSignal): Promise<void> {
    const pid = machine.pids?.nomad;
    const marker = this.folder.folderOf(machine.name);
    if (pid === undefined || !isMarked(pid, marker)) return;
    signalMarked(pid, marker, "SIGINT");
    const ended = await poll(STOP_MS, () => {
      signal.throwIfAborted();
      return !isMarked(pid, marker) || undefined;
    });
    if (ended) return;
    throw new UserError(
      `Nomad was not stopped: ${machine.name}: process ${String(pid)} still runs ${String(STOP_MS / 1000)} s after SIGINT; see ${join(marker, "nomad.log")}`,
    );
  }

  async serversWritten(): Promise<void> {
    // The agent reads its folder by itself.
  }

  async stopAll(): Promise<string[]> {
    const isOurs = (marker: string): boolean => marker.startsWith(`${this.folder.path}/`);
    const ended = await endMarked(isOurs);
    unmountBelow(this.folder.path);
    return ended === 0 ? [] : [`${String(ended)} processes of real agents`];
  }
}

/** @throws UserError where real agents cannot run, before anything has been started */
export async function checkRealAgents(): Promise<void> {
  needsLinux();
  await find("consul");
  await find("nomad");
}

function needsLinux(): void {
  if (process.platform === "linux") return;
  throw new UserError(
    `agents: real needs Linux, where every machine gets a loopback address of its own; this is ${process.platform}; use simulated agents`,
  );
}

/** A program on the PATH. @throws UserError that says how to get it */
async function find(program: "consul" | "nomad"): Promise<string> {
  const found = await findProgram(program, process.env);
  if (found !== undefined) return found;
  throw new UserError(
    `no ${program} on the PATH, which agents: real needs; get it from https://developer.hashicorp.com/${program}/install, or use simulated agents`,
  );
}

/** Tasks of Nomad inherit it: no token and no address of another cluster belongs there. */
const environmentOf = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? folder,
  [MARKER]: folder,
});

/** Waits until an agent answers. @throws UserError with its last words, where it does not */
async function answer({ what, process: child, url, log }: Started, name: string, signal: AbortSignal) {
  const outcome = await poll(ANSWER_MS, async () => {
    signal.throwIfAborted();
    const status = await fetch(`${url}/v1/agent/self`, { signal: AbortSignal.timeout(5000) }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => undefined,
    );
    if (status === 200) return "it answers";
    return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
      ? `it ended with ${String(child.exitCode ?? child.signalCode ?? "an error")}`
      : undefined;
  });
  if (outcome === "it answers") return;
  const why = outcome ?? `no answer within ${String(ANSWER_MS / 1000)} s`;
  const said = readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "";
  throw new UserError(`${name}: ${what} did not start: ${why}: ${said.slice(0, 300)}; see ${log}`);
}

/** Whether nobody listens at any of the agents' ports of an address. */
async function isFree(address: string): Promise<boolean> {
  for (const port of PORTS) {
    const server = createServer().listen(port, address);
    try {
      await once(server, "listening");
    } catch {
      return false;
    }
    server.close();
    await once(server, "close");
  }
  return true;
}
