import { existsSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import type { ServersFile } from "../ssh/consul-servers-file.js";
import { textIfThere } from "../json-file.js";
import { putFile } from "../put-file.js";
import type { AgentsRunner, MachineOrder } from "./agents-runner.js";
import { MachinesFolder, type LocalMachine } from "./machines-folder.js";
import { RealAgents } from "./real-agents.js";
import { SimulatedAgents } from "./simulated-agents.js";

export type { LocalMachine } from "./machines-folder.js";

/** The machines of a cluster on the local platform, found through its run folder. */
export class LocalMachines {
  readonly #folder: MachinesFolder;
  readonly #runners: Readonly<Record<LocalMachine["agents"], AgentsRunner>>;

  constructor(folder: string) {
    this.#folder = new MachinesFolder(folder);
    this.#runners = { simulated: new SimulatedAgents(this.#folder), real: new RealAgents(this.#folder) };
  }

  /** Those that have been started, the oldest first. */
  list(): LocalMachine[] {
    return this.#folder.list();
  }

  /** @throws UserError for one that does not run */
  get(name: string): LocalMachine {
    const machine = this.#folder.find(name);
    if (machine) return machine;
    throw new UserError(`no machine ${name} runs on platform local (${this.#folder.path})`);
  }

  /**
   * The base URLs of all servers, as `CONSUL_HTTP_ADDR` and `NOMAD_ADDR` take them: joined by commas, the oldest first.
   * @throws UserError where none of a kind runs
   */
  endpoints(): { readonly consul: string; readonly nomad: string } {
    const machines = this.list();
    const consul = machines.flatMap((machine) => (machine.role === "consul-server" ? machine.consul : []));
    const nomad = machines.flatMap((machine) =>
      machine.role === "nomad-server" ? (machine.nomad ?? []) : [],
    );
    if (consul.length > 0) return { consul: consul.join(","), nomad: nomad.join(",") };
    throw new UserError(
      `no Consul server runs on platform local (${this.#folder.path}); destroy the cluster with protection: off, and create it again`,
    );
  }

  /** Starts a machine's agents, once whatever runs under its name has ended. */
  async start(agents: LocalMachine["agents"], order: MachineOrder, signal: AbortSignal): Promise<void> {
    const other = this.list().find((machine) => machine.agents !== agents);
    if (other !== undefined && other.name !== order.name) {
      throw new UserError(
        `${order.name} cannot have ${agents} agents: those of ${other.name} are ${other.agents}; set local.agents back, or destroy the cluster first`,
      );
    }
    await this.stop(order.name, signal);
    await this.#runners[agents].start(order, signal);
  }

  /** Ends whatever runs under a machine's name, and forgets it. */
  async stop(name: string, signal: AbortSignal): Promise<void> {
    await this.#runners.real.stop(name, signal);
    await this.#runners.simulated.stop(name, signal);
  }

  async stopNomad(name: string, signal: AbortSignal): Promise<void> {
    const machine = this.get(name);
    await this.#runners[machine.agents].stopNomad(machine, signal);
  }

  /**
   * Ends all that runs of this cluster, also what a run left that was cut off, and forgets it.
   * @returns what it was, in words
   */
  async stopAll(): Promise<string[]> {
    const machines = this.list();
    const ended = [...(await this.#runners.real.stopAll()), ...(await this.#runners.simulated.stopAll())];
    rmSync(this.#folder.path, { recursive: true, force: true });
    return ended.length === 0 ? [] : [...ended, ...machines.map(({ name }) => name)];
  }

  /** The list of Consul servers on a machine's disk. */
  serversFile(name: string): ServersFile {
    const machine = this.get(name);
    const file = join(this.#folder.consulFolderOf(name), "rollout-servers.json");
    const due = `${file}.reload-due`;
    return {
      read: () => Promise.resolve({ content: textIfThere(file), reloadDue: existsSync(due) }),
      write: async (content) => {
        writeFileSync(due, "");
        putFile(file, content);
        await this.#runners[machine.agents].serversWritten(machine, content);
      },
      reloaded: () => {
        rmSync(due, { force: true });
        return Promise.resolve();
      },
    };
  }

  /** How many times as fast as real time the cluster lives. */
  get speed(): number {
    return 1 / (this.#folder.announcement()?.factor ?? 1);
  }

  /** The cluster's own time at a moment of real time; both are milliseconds since 1970. */
  timeAt(real: number): number {
    const announcement = this.#folder.announcement();
    if (!announcement) return real;
    const since = Date.parse(announcement.since);
    return since + (real - since) / announcement.factor;
  }
}

/** @param runFolder the cluster's folder beside its spec: `.rollout/demo` */
export const localMachines = (runFolder: string): LocalMachines =>
  new LocalMachines(join(realOf(runFolder), "machines"));

/** One name for one folder, since processes are found by it. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return join(realOf(dirname(folder)), basename(folder));
  }
}
