import type { ConsulAgent, ConsulConfig, ConsulData } from "./consul/agent.js";
import type { NomadAgent, NomadData } from "./nomad/agent.js";

type MachineRole = "consul-server" | "nomad-server" | "client";

export interface MachineSettings {
  /** `broker-0-1`: the name of its agents. */
  readonly name: string;
  readonly address: string;
  readonly role: MachineRole;
  /** What its image and its Terraform resource say of it, as the agents' node meta: `rollout_image` and the like. */
  readonly meta?: Readonly<Record<string, string>>;
  /** The list of Consul servers on its disk at the first start. Default: none */
  readonly retryJoin?: readonly string[];
  /** Default: `default` */
  readonly nodePool?: string;
  /** Default: 4000 */
  readonly cpuMhz?: number;
  /** Default: 8192 */
  readonly memoryMb?: number;
  /** Whether SIGINT makes a Nomad server leave. Default: false, as Nomad's own */
  readonly leaveOnInterrupt?: boolean;
  /** Where the services on it answer. Default: at its own address, on no port */
  readonly servesAt?: { readonly address: string; readonly port: number };
  /** Whether SIGTERM makes a Consul server try to leave. Default: false, as Consul's own */
  readonly leaveOnTerminate?: boolean;
}

/** What is on a machine's data disk. */
interface Disk {
  readonly consul?: ConsulData;
  readonly nomad?: NomadData;
}

/** A machine: its configuration, its disk and the two processes on it. */
export class Machine {
  readonly config: ConsulConfig;
  consul: ConsulAgent | undefined;
  nomad: NomadAgent | undefined;

  constructor(readonly settings: MachineSettings) {
    this.config = { meta: settings.meta ?? {}, retryJoin: settings.retryJoin ?? [] };
  }

  get name(): string {
    return this.settings.name;
  }

  get isRunning(): boolean {
    return (this.consul?.running ?? false) || (this.nomad?.running ?? false);
  }

  get disk(): Disk {
    return {
      ...(this.consul ? { consul: this.consul.data } : {}),
      ...(this.nomad ? { nomad: this.nomad.data } : {}),
    };
  }
}
