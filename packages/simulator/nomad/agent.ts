import { fractionOf } from "../ids.js";

/** What a Nomad agent finds on its disk when it starts. */
export interface NomadData {
  /** Of the server, or of the node. */
  readonly id: string;
  readonly log: boolean;
}

export interface NomadAgentSettings {
  readonly name: string;
  readonly address: string;
  readonly server: boolean;
  /** Meta of a client's node. */
  readonly meta: Readonly<Record<string, string>>;
  readonly nodePool: string;
  readonly cpuMhz: number;
  readonly memoryMb: number;
  readonly leaveOnInterrupt: boolean;
  readonly data?: NomadData;
}

/** One running `nomad agent`: a process, not a machine. */
export class NomadAgent {
  /** Servers are members under their name and region. */
  readonly name: string;
  readonly id: string;
  running = true;
  joined = false;
  hasLog: boolean;
  hasLeft = false;

  constructor(
    readonly settings: NomadAgentSettings,
    id: string,
    readonly startedAt: number,
  ) {
    this.name = settings.server ? `${settings.name}.global` : settings.name;
    this.id = settings.data?.id ?? id;
    this.hasLog = settings.data?.log ?? false;
  }

  get address(): string {
    return this.settings.address;
  }

  get rpcAddress(): string {
    return `${this.address}:4647`;
  }

  get server(): boolean {
    return this.settings.server;
  }

  get data(): NomadData {
    return { id: this.id, log: this.hasLog };
  }

  /** Where in a recorded range this one's times lie; the same in every run. */
  get fraction(): number {
    return fractionOf(this.id);
  }
}
