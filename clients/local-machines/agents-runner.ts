import type { LocalMachine } from "./machines-folder.js";

/** What a machine is to be. */
export interface MachineOrder {
  /** Its host's name, `broker-0-1`, which its agents have, too. */
  readonly name: string;
  readonly role: LocalMachine["role"];
  /** How many servers of its role there are to be. */
  readonly servers: number;
  /** What its agents report: `rollout_image` and the like. */
  readonly meta: Readonly<Record<string, string>>;
  /** How many times as fast as real time a simulated cluster lives that begins with this machine. */
  readonly speed: number;
}

/** One way of running the agents of machines. A start finds nothing of that name left. */
export interface AgentsRunner {
  /** Starts the agents of a machine, with nothing on its disk and at an address that no other has. */
  start(order: MachineOrder, signal: AbortSignal): Promise<void>;
  /** Ends whatever runs under a name, whatever it is doing, and forgets it; harmless where nothing does. */
  stop(name: string, signal: AbortSignal): Promise<void>;
  /** Stops its Nomad as the system's own service manager would, which makes a server leave. */
  stopNomad(machine: LocalMachine, signal: AbortSignal): Promise<void>;
  /** Told once the list of Consul servers on its disk is another. */
  serversWritten(machine: LocalMachine, content: string): Promise<void>;
  /** Ends whatever runs of the whole cluster. @returns what that was, in words */
  stopAll(): Promise<string[]>;
}
