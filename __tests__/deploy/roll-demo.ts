import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import type { RealEnvironment } from "../support/environment.js";
import { processesIn, RunningDeploy, until } from "./running-deploy.js";
import { revisionsOf } from "./state-file.js";
import { Workspace } from "./workspace.js";

/** An allocation as Nomad lists it. */
export type Allocation = z.output<typeof allocation>;

/** What happened to a machine, or was asked of its agents, by the simulator's own log. */
export type SimulatedEvent = z.output<typeof event>;

export interface RollDemoOptions {
  /** How many times as fast as real time the agents live. */
  readonly speed: number;
  /** The lines of `pools` and of what follows it in the spec. */
  readonly spec: string;
  /** Where its state is; default: beside the spec. */
  readonly backend?: string;
  /** Added to the environment of every program. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A cluster of simulated agents that whole pools of are rolled, and what can be asked of it besides our own reports. */
export class RollDemo {
  readonly machines: LocalMachines;

  private constructor(
    readonly workspace: Workspace,
    private readonly terraform: string,
    readonly speed: number,
  ) {
    this.machines = localMachines(this.runFolder);
  }

  static async create(
    real: Pick<RealEnvironment, "terraform" | "env">,
    { speed, spec, backend = "{ type: local, path: terraform.demo.tfstate }", env }: RollDemoOptions,
  ): Promise<RollDemo> {
    const head = [
      "name: demo",
      "platform: local",
      `local: { agents: simulated, speed: ${String(speed)} }`,
      `backend: ${backend}`,
    ];
    const workspace = await Workspace.create(real, `${head.join("\n")}\n${spec}`, env);
    const demo = new RollDemo(workspace, real.terraform, speed);
    await workspace.createSimulated();
    return demo;
  }

  async remove(): Promise<void> {
    // A run that holds would hold for ever.
    for (const { pid } of processesIn(this.workspace.folder)) process.kill(pid, "SIGKILL");
    await this.machines.stopAll();
    await this.workspace.remove();
  }

  get runFolder(): string {
    return join(this.workspace.folder, ".rollout", "demo");
  }

  /** `rollout deploy …`, where whatever is asked is confirmed. */
  start(...args: readonly string[]): RunningDeploy {
    const words = ["deploy", ...args, "--yes", "--confirm", ...SERVERS];
    return new RunningDeploy(this.workspace.startRollout(words, { CDKTF_OUTDIR: this.workspace.output }), {
      folder: this.workspace.folder,
      stateFile: this.workspace.stateFile,
      runFolder: this.runFolder,
      terraform: this.terraform,
    });
  }

  /** Any other verb, in a process of its own. */
  async say(...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.workspace.rollout(args);
    if (exitCode !== 0) throw new Error(output);
    return output;
  }

  /** The image of each revision that the state records of some groups, oldest first. */
  async history(groups: readonly string[]): Promise<Record<string, string[]>> {
    const state = await this.workspace.state();
    return Object.fromEntries(
      groups.map((group) => [group, revisionsOf(state, group).map(({ image }) => image)]),
    );
  }

  /** Everything since the cluster is there. */
  async events(): Promise<SimulatedEvent[]> {
    const all = z.array(event).parse(await (await fetch(`${this.#control}/events`)).json());
    if (all.length >= MOST_EVENTS) throw new Error("the simulator has begun to forget what happened");
    return all;
  }

  /** Asks the simulator's control for something. */
  async tell(path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.#control}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
  }

  async allocations(): Promise<Allocation[]> {
    return z.array(allocation).parse(await this.ask("nomad", "/v1/allocations"));
  }

  /** The names of the machines of Nomad's nodes, by the id that a node has as long as its machine. */
  async nodes(): Promise<ReadonlyMap<string, string>> {
    const all = z
      .array(z.object({ ID: z.string(), Name: z.string(), Status: z.string() }))
      .parse(await this.ask("nomad", "/v1/nodes"));
    return new Map(all.flatMap(({ ID, Name, Status }) => (Status === "ready" ? [[ID, Name]] : [])));
  }

  /** How many instances of a service pass their checks. */
  async passing(service: string): Promise<number> {
    const all = z.array(z.unknown()).parse(await this.ask("consul", `/v1/health/service/${service}?passing`));
    return all.length;
  }

  /** The images that the agents of some machines report as theirs: Consul's. */
  async images(): Promise<Record<string, string>> {
    const nodes = z
      .array(z.object({ Node: z.string(), Meta: z.record(z.string(), z.string()) }))
      .parse(await this.ask("consul", "/v1/catalog/nodes"));
    return Object.fromEntries(nodes.map(({ Node, Meta }) => [Node, Meta["rollout_image"] ?? ""]));
  }

  /** The machine that leads the servers of a product. */
  async leader(product: "consul" | "nomad"): Promise<string> {
    const { Servers } = z
      .object({ Servers: z.array(z.object({ Node: z.string(), Leader: z.boolean() })) })
      .parse(await this.ask(product, "/v1/operator/raft/configuration"));
    return (Servers.find(({ Leader }) => Leader)?.Node ?? "").replace(/\.global$/, "");
  }

  /** Lets another server lead as long as it is that of the last group, which would go last anyway. */
  async leadBefore(product: "consul" | "nomad", last: string): Promise<string> {
    const isLed = async (): Promise<boolean> => !["", last].includes(await this.leader(product));
    if ((await this.leader(product)) === last) {
      await this.tell("/cluster-faults", { fault: "leader-lost", product, on: true });
      await this.tell("/cluster-faults", { fault: "leader-lost", product, on: false });
    }
    await until(`another than ${last} leads ${product}`, isLed);
    return this.leader(product);
  }

  /** The time of the cluster that passes between two of its time stamps, in seconds. */
  static secondsBetween(from: SimulatedEvent, to: SimulatedEvent): number {
    return (Date.parse(to.at) - Date.parse(from.at)) / 1000;
  }

  /** What a server of a product answers. */
  async ask(product: "consul" | "nomad", path: string): Promise<unknown> {
    const bases = this.machines.endpoints()[product].split(",");
    return (await Promise.any(bases.map((base) => fetch(`${base}${path}`)))).json();
  }

  get #control(): string {
    const file = join(this.runFolder, "machines", "simulator.json");
    return z.object({ control: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).control;
  }
}

/** The names of a pool's groups. */
export const groupsOf = (pool: string): string[] => [0, 1, 2].map((index) => `${pool}-${String(index)}`);

/** The group of a machine. */
export const groupOf = (machine: string): string => machine.replace(/-\d+$/, "");

/** The groups whose machines were started, in this order; one that was come back to stands twice. */
export const rolledIn = (events: readonly SimulatedEvent[]): string[] =>
  events
    .flatMap(({ machine, what }) => (what === "started" ? [groupOf(machine)] : []))
    .filter((group, index, all) => group !== all[index - 1]);

const SERVERS = ["consul-server", "nomad-server"].flatMap(groupsOf);

const MOST_EVENTS = 10_000;

const event = z.object({
  at: z.string(),
  machine: z.string(),
  what: z.string(),
  work: z.number().optional(),
});

const allocation = z.object({
  ID: z.string(),
  Name: z.string(),
  JobID: z.string(),
  NodeID: z.string(),
  NodeName: z.string(),
  ClientStatus: z.string(),
  CreateTime: z.number(),
});
