import { randomInt } from "node:crypto";
import { UserError } from "../../cluster/user-error.js";
import { serversIn } from "../ssh/consul-servers-file.js";
import type { AgentsRunner, MachineOrder } from "./agents-runner.js";
import { withFolderLock } from "./folder-lock.js";
import type { LocalMachine, MachinesFolder } from "./machines-folder.js";
import { SimulatorProcess } from "./simulator-process.js";

/** Agents that one simulator speaks for, started with the first machine and ended with the last. */
export class SimulatedAgents implements AgentsRunner {
  readonly #simulator: SimulatorProcess;

  constructor(private readonly folder: MachinesFolder) {
    this.#simulator = new SimulatorProcess(folder);
  }

  async start({ name, role, meta, speed }: MachineOrder, signal: AbortSignal): Promise<void> {
    const { control, address } = await withFolderLock(this.folder.path, signal, async () => {
      const control = await this.#control(speed, signal);
      // From now on the simulator has a machine, and is not ended with another.
      this.folder.empty(name);
      return { control, address: this.#freeAddress() };
    });
    const machine = { name, address, role, meta, leaveOnInterrupt: true };
    const machines = await this.#simulator.ask(control, "POST", "/machines", { machine, disk: "empty" });
    const made = machines[name];
    if (made?.running !== true) throw new UserError(`${name}: its agents did not start`);
    this.folder.write({
      name,
      role,
      agents: "simulated",
      address,
      consul: made.consul,
      ...(role === "consul-server" ? {} : { nomad: made.nomad }),
      startedAt: new Date().toISOString(),
    });
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    await withFolderLock(this.folder.path, signal, async () => {
      const there = await this.#simulator.find();
      if (there) await this.#simulator.ask(there.control, "DELETE", `/machines/${name}`);
      this.folder.remove(name);
      if (this.folder.names().length === 0) await this.#simulator.end();
    });
  }

  async stopNomad({ name }: LocalMachine): Promise<void> {
    const control = await this.#running();
    await this.#simulator.tell(control, "POST", `/machines/${name}/stop`, { product: "nomad" });
  }

  async serversWritten({ name }: LocalMachine, content: string): Promise<void> {
    const control = await this.#running();
    await this.#simulator.tell(control, "PUT", `/machines/${name}/retry-join`, {
      retryJoin: serversIn(content),
    });
  }

  async stopAll(): Promise<string[]> {
    return (await this.#simulator.end()) ? ["the simulator"] : [];
  }

  /** The control of the running simulator, or of a new one where no machine has been started yet. */
  async #control(speed: number, signal: AbortSignal): Promise<string> {
    const there = await this.#simulator.find();
    if (there) return there.control;
    if (this.folder.list().length > 0) throw gone();
    return (await this.#simulator.start(speed, signal)).control;
  }

  async #running(): Promise<string> {
    const there = await this.#simulator.find();
    if (there) return there.control;
    throw gone();
  }

  /** One that no machine has. */
  #freeAddress(): string {
    const taken = new Set(this.folder.list().map(({ address }) => address));
    for (;;) {
      const address = ["10", randomInt(256), randomInt(256), randomInt(1, 255)].join(".");
      if (!taken.has(address)) return address;
    }
  }
}

const gone = (): UserError =>
  new UserError(
    "the simulator is gone, and all machines with it; destroy the cluster with protection: off, and create it again",
  );
