import { empty, text, type Answer, type Reply, type Request } from "./answer.js";
import { askConsul } from "./consul/api/consul-api.js";
import { Consul, type ConsulOptions } from "./consul/consul.js";
import { interrupt } from "./consul/leaving.js";
import { after, Faults, type Product } from "./faults.js";
import { Machine, type MachineSettings } from "./machine.js";
import { askNomad } from "./nomad/api/nomad-api.js";
import { Nomad, type NomadOptions } from "./nomad/nomad.js";
import { followServices, serves } from "./services.js";
import { Timeline, type TimelineOptions } from "./timeline.js";

export interface ClusterOptions extends TimelineOptions {
  readonly consul?: ConsulOptions;
  readonly nomad?: NomadOptions;
}

/** Whether a machine finds what its predecessor of the same name left on its disk. */
export type DiskState = "empty" | "kept";

/**
 * Consul and Nomad on a number of machines, as a state machine: nothing happens but what is asked and what `advance`
 * lets pass, and equal calls give equal answers.
 */
export class SimulatedCluster {
  readonly timeline: Timeline;
  readonly consul: Consul;
  readonly nomad: Nomad;
  readonly machines = new Map<string, Machine>();
  readonly faults = new Faults();
  /** Faults: machines that never start again. */
  readonly neverBack = new Set<string>();

  constructor(options: ClusterOptions = {}) {
    this.timeline = new Timeline(options);
    this.consul = new Consul(this.timeline, options.consul);
    this.nomad = new Nomad(this.timeline, options.nomad);
    followServices(this.nomad, this.consul, this.machines);
  }

  /** Lets so many milliseconds of the caller's time pass: divided by the factor, that is simulated time. */
  advance(ms: number): void {
    this.timeline.advance(ms);
  }

  /** Starts a machine and its agents, in place of one of the same name that no longer runs. */
  startMachine(settings: MachineSettings, disk: DiskState = "empty"): Machine {
    const before = this.machines.get(settings.name);
    if (before?.isRunning)
      throw new Error(`the machine runs already: ${settings.name}; stop or kill it first`);
    const machine = new Machine(settings);
    this.machines.set(machine.name, machine);
    if (this.neverBack.has(machine.name)) return machine;
    const found = disk === "kept" && before ? before.disk : {};
    if (disk === "kept" && before) machine.config.retryJoin = before.config.retryJoin;
    this.#startConsul(machine, found.consul);
    if (settings.role !== "consul-server") this.#startNomad(machine, found.nomad);
    return machine;
  }

  /** Starts one agent of a machine again, with its data. */
  startAgent(name: string, product: Product): void {
    const machine = this.machine(name);
    if (machine[product]?.running)
      throw new Error(`the ${product} agent runs already: ${name}; stop or kill it first`);
    if (product === "consul") this.#startConsul(machine, machine.disk.consul);
    else this.#startNomad(machine, machine.disk.nomad);
  }

  #startConsul(machine: Machine, data: Machine["disk"]["consul"]): void {
    const { name, address, role } = machine.settings;
    machine.consul = this.consul.start({
      name,
      address,
      server: role === "consul-server",
      config: machine.config,
      ...(data ? { data } : {}),
    });
  }

  #startNomad(machine: Machine, data: Machine["disk"]["nomad"]): void {
    const { name, address, role, meta, nodePool, cpuMhz, memoryMb, leaveOnInterrupt } = machine.settings;
    machine.nomad = this.nomad.start({
      name,
      address,
      server: role === "nomad-server",
      meta: meta ?? {},
      nodePool: nodePool ?? "default",
      cpuMhz: cpuMhz ?? 4_000,
      memoryMb: memoryMb ?? 8_192,
      leaveOnInterrupt: leaveOnInterrupt ?? false,
      ...(data ? { data } : {}),
    });
  }

  /** Ends an agent as the service manager does: SIGINT for Nomad, SIGTERM for Consul, and time enough for what they do then. */
  stopAgent(name: string, product: Product): void {
    const machine = this.machine(name);
    if (product === "nomad" && machine.nomad?.running) this.nomad.interrupt(machine.nomad);
    if (product === "consul" && machine.consul?.running)
      interrupt(this.consul, machine.consul, { leaves: machine.settings.leaveOnTerminate ?? false });
  }

  /** Takes a machine's power away. */
  killMachine(name: string): void {
    this.killAgent(name, "nomad");
    this.killAgent(name, "consul");
  }

  killAgent(name: string, product: Product): void {
    const machine = this.machine(name);
    if (product === "nomad" && machine.nomad) this.nomad.end(machine.nomad);
    if (product === "consul" && machine.consul) this.consul.end(machine.consul);
  }

  /** Writes the list of Consul servers on a machine's disk, where the next start of its agent finds it. */
  writeRetryJoin(name: string, addresses: readonly string[]): void {
    this.machine(name).config.retryJoin = [...addresses];
  }

  runJob(spec: unknown): void {
    this.nomad.run(spec);
  }

  /** @throws Error for a machine that there is not */
  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (!machine)
      throw new Error(`no such machine: ${name}; there are ${[...this.machines.keys()].join(", ")}`);
    return machine;
  }

  /** The id of an allocation of a service that runs on a machine; undefined where none does. */
  serves(name: string, service: string): string | undefined {
    return serves(this.nomad, name, service);
  }

  /**
   * Asks a machine's agent: the path begins with `/consul` or `/nomad`. The answer comes at once or when time passes; an
   * agent that does not run, or ends before it has answered, resets the connection.
   */
  ask(name: string, request: Request, done: (answer: Answer) => void): void {
    const product = /^\/(consul|nomad)(?=\/|$)/.exec(request.path)?.[1];
    if (product !== "consul" && product !== "nomad") {
      done(text(404, "no such product: the path begins with /consul or /nomad"));
      return;
    }
    const inner = { ...request, path: request.path.slice(product.length + 1) || "/" };
    const machine = this.machine(name);
    const process = machine[product];
    const reply = this.faults.apply({ machine: name, product, request: inner }, () =>
      after(this.#reply(machine, product, inner), (answer) => (process?.running ? answer : RESET)),
    );
    this.timeline.settle(reply, done);
    this.timeline.look();
  }

  #reply({ consul, nomad }: Machine, product: Product, request: Request): Reply {
    if (product === "consul") return consul?.running ? askConsul(this.consul, consul, request) : RESET;
    return nomad?.running ? askNomad(this.nomad, nomad, request) : RESET;
  }
}

const RESET: Answer = { ...empty(), cut: "reset" };
