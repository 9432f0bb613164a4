/** A service that an agent has been told of. */
export interface LocalService {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly port: number;
  readonly address: string;
  readonly check?: { readonly type: string; status: string };
  maintenance?: string;
}

/** What a Consul agent finds on its disk when it starts. */
export interface ConsulData {
  readonly id: string;
  /** Whether the raft log is there: a server that has been in the configuration. */
  readonly log: boolean;
  /** The members it knew, unless it left: with them it finds its way back whatever its `retry_join` says. */
  readonly snapshot: boolean;
  readonly services: readonly LocalService[];
  readonly maintenance?: string;
}

/** The configuration as it stands on the machine's disk, now. */
export interface ConsulConfig {
  meta: Readonly<Record<string, string>>;
  retryJoin: readonly string[];
  /** What the agent says of a file that it cannot parse; undefined while all are well-formed. */
  broken?: string;
}

export interface ConsulAgentSettings {
  readonly name: string;
  readonly address: string;
  readonly server: boolean;
  readonly config: ConsulConfig;
  readonly data?: ConsulData;
}

/** One running `consul agent`: a process, not a machine. A restart makes another. */
export class ConsulAgent {
  readonly name: string;
  readonly address: string;
  readonly server: boolean;
  readonly id: string;
  meta: Readonly<Record<string, string>>;
  readonly config: ConsulConfig;
  /** The list that it started with: a reload does not change what it does with it. */
  readonly retryJoin: readonly string[];
  readonly services = new Map<string, LocalService>();
  readonly rejoins: boolean;
  readonly startedAt: number;
  running = true;
  joined = false;
  hasLog: boolean;
  hasLeft = false;
  /** Pruned while it was alive: gossip does not take it back before a restart. */
  outcast = false;
  maintenance: string | undefined;
  diedAt: number | undefined;

  constructor(settings: ConsulAgentSettings, id: string, startedAt: number) {
    this.name = settings.name;
    this.address = settings.address;
    this.server = settings.server;
    this.config = settings.config;
    this.meta = settings.config.meta;
    this.retryJoin = settings.config.retryJoin;
    this.id = settings.data?.id ?? id;
    this.hasLog = settings.data?.log ?? false;
    this.rejoins = settings.data?.snapshot ?? false;
    this.maintenance = settings.data?.maintenance;
    this.startedAt = startedAt;
    for (const service of settings.data?.services ?? []) this.services.set(service.id, { ...service });
  }

  get rpcAddress(): string {
    return `${this.address}:8300`;
  }

  /** What is left on the disk once the process has ended. */
  get data(): ConsulData {
    return {
      id: this.id,
      log: this.hasLog,
      snapshot: this.joined && !this.hasLeft,
      services: [...this.services.values()],
      ...(this.maintenance === undefined ? {} : { maintenance: this.maintenance }),
    };
  }
}
