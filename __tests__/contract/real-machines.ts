import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startAgent, type RealAgent } from "./real-agent.js";

/** An agent's binary, and how the file of its configuration is named to it. */
type Program = readonly [binary: string, option: string];

/** Real agents of one product, one a machine, on loopback addresses of their own with the product's usual ports. */
export abstract class RealMachines {
  readonly #agents = new Map<string, RealAgent>();
  /** Several runs on one machine must not meet. */
  readonly #network = `127.${String(randomInt(64, 250))}.${String(randomInt(1, 250))}`;

  protected constructor(
    readonly folder: string,
    readonly machines: readonly string[],
    private readonly program: Program,
  ) {}

  protected abstract configuration(machine: string, folder: string): object;

  /** What is set for the agent of a folder. */
  protected abstract environment(folder: string): Readonly<Record<string, string>>;

  /** Starts all machines of a cluster in a folder of its own. */
  static async start<T extends RealMachines>(create: (folder: string) => T): Promise<T> {
    const cluster = create(await mkdtemp(join(tmpdir(), "rollout-contract-")));
    try {
      await Promise.all(cluster.machines.map((machine) => cluster.startEmpty(machine)));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async kill(machine: string): Promise<void> {
    await this.#agents.get(machine)?.kill();
    this.#agents.delete(machine);
  }

  async startEmpty(machine: string): Promise<void> {
    await this.kill(machine);
    const folder = join(this.folder, machine);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    const file = join(folder, "agent.json");
    await writeFile(file, JSON.stringify(this.configuration(machine, folder)));
    const [binary, option] = this.program;
    const args = ["agent", `${option}=${file}`];
    this.#agents.set(machine, startAgent(binary, args, this.environment(folder)));
  }

  async advance(seconds: number): Promise<void> {
    await wait(seconds * 1000);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.keys()].map((machine) => this.kill(machine)));
    await rm(this.folder, { recursive: true, force: true });
  }

  protected addressOf(machine: string): string {
    const index = this.machines.indexOf(machine);
    if (index === -1) throw new Error(`no such machine: ${machine}`);
    return `${this.#network}.${String(index + 1)}`;
  }
}
