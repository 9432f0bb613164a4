/**
 * What has been seen of a cluster at one moment, shaped by the APIs of Consul, Nomad and EC2. Plain data: whoever asks
 * fills it in, whoever decides reads it. Times are milliseconds since 1970, as `Date.now()` counts them.
 */
export interface Observation {
  readonly at: number;
  readonly consul: ConsulObservation;
  readonly nomad: NomadObservation;
  /** When the newest snapshot of the servers that go was taken; null if none is kept. */
  readonly snapshotAt: Observed<number | null>;
  /** What EC2 says of the cluster's machines, asked by tag. Unknown where there is no such API (`platform: local`). */
  readonly machines: Observed<readonly Machine[]>;
  /** The targets of the group's load balancer; empty for a pool without one. */
  readonly targets: Observed<readonly Target[]>;
  /** What the machines' own agents say of themselves, as far as they were asked. */
  readonly agents: readonly AgentSelf[];
  /** The last result of each of the pool's own checks, as far as they were run. */
  readonly checks: readonly CheckResult[];
  /** The machines' own lists of Consul servers, as far as they were read. */
  readonly lists?: readonly ServerList[];
  /** How many Consul servers the spec says. Default: three. */
  readonly consulServers?: number;
}

export interface ServerList {
  readonly host: string;
  /** The addresses in it. */
  readonly servers: Observed<readonly string[]>;
}

/** What could not be asked is a value of its own: never an empty list, and never taken for one. */
export interface Unknown {
  /** Why, for people: `403 Permission denied`. */
  readonly unknown: string;
  /** It passes by itself within seconds: an election. */
  readonly passing?: true;
  /** The token may not ask for it. */
  readonly refused?: true;
  /** There is nobody to ask: EC2 on `platform: local`. */
  readonly absent?: true;
}

export type Observed<T> = T | Unknown;

export function isUnknown(value: unknown): value is Unknown {
  return typeof value === "object" && value !== null && "unknown" in value;
}

interface ConsulObservation {
  /** What the token may do; every right where ACLs are off. */
  readonly rights: Observed<readonly ConsulRight[]>;
  readonly members: Observed<readonly ConsulMember[]>;
  readonly catalog: Observed<readonly CatalogNode[]>;
  readonly autopilot: Observed<Autopilot>;
  readonly raft: Observed<readonly RaftPeer[]>;
  /** The health checks of nodes and services, those of the group's hosts at least. */
  readonly health: Observed<readonly HealthCheck[]>;
  /** Whether `transfer-leader` is there (404 in older versions). */
  readonly canTransferLeadership: Observed<boolean>;
}

/** `snapshot` is `acl:write`, which is what Consul asks for. */
export const CONSUL_RIGHTS = [
  "node:read",
  "service:read",
  "operator:read",
  "operator:write",
  "agent:write",
  "snapshot",
] as const;
export type ConsulRight = (typeof CONSUL_RIGHTS)[number];

export interface ConsulMember {
  readonly name: string;
  readonly address: string;
  readonly status: "alive" | "leaving" | "left" | "failed";
}

export interface CatalogNode {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** As `/v1/operator/autopilot/health` of Consul and of Nomad has it; also in a 429. */
export interface Autopilot {
  readonly healthy: boolean;
  readonly failureTolerance: number;
  /** Empty where the API says null, which it does for some seconds after an election. */
  readonly servers: readonly AutopilotServer[];
}

export interface AutopilotServer {
  readonly id: string;
  /** Nomad's carry the region: `nomad-server-0-0.global`. */
  readonly name: string;
  readonly voter: boolean;
  readonly leader: boolean;
  readonly healthy: boolean;
  readonly stableSince: number;
}

export interface RaftPeer {
  readonly id: string;
  readonly name: string;
  /** With the port: `10.0.0.1:8300`. */
  readonly address: string;
  readonly voter: boolean;
  readonly leader: boolean;
}

interface HealthCheck {
  readonly node: string;
  readonly id: string;
  /** Empty for a check of the node itself, such as serfHealth. */
  readonly service: string;
  readonly status: "passing" | "warning" | "critical" | "maintenance";
}

interface NomadObservation {
  /** What the token may do; every right where ACLs are off. */
  readonly rights: Observed<readonly NomadRight[]>;
  readonly nodes: Observed<readonly NomadNode[]>;
  /** Of every node of the group, finished ones included. */
  readonly allocations: Observed<readonly Allocation[]>;
  /** Every job of every namespace; one that was purged is not in it. */
  readonly jobs: Observed<readonly NomadJob[]>;
  readonly members: Observed<readonly NomadMember[]>;
  readonly autopilot: Observed<Autopilot>;
  readonly raft: Observed<readonly RaftPeer[]>;
}

/** `list-jobs` and `read-job` in every namespace: without them lists are empty, which looks like a finished drain. */
export const NOMAD_RIGHTS = [
  "node:read",
  "node:write",
  "list-jobs",
  "read-job",
  "operator:read",
  "agent:read",
  "management",
] as const;
export type NomadRight = (typeof NOMAD_RIGHTS)[number];

export interface NomadNode {
  readonly id: string;
  readonly name: string;
  readonly status: "initializing" | "ready" | "down" | "disconnected";
  readonly eligibility: "eligible" | "ineligible";
  /** Null when nothing drains; the strategy can be null while work still runs. */
  readonly drain: { readonly deadlineAt: number | null } | null;
  readonly lastDrain: { readonly status: "draining" | "complete" | "canceled" } | null;
  /** Oldest first, the newest ten. */
  readonly events: readonly NodeEvent[];
  readonly meta: Readonly<Record<string, string>>;
  readonly datacenter?: string | undefined;
  readonly pool?: string | undefined;
  readonly class?: string | undefined;
  /** Absent where the node is known from the list alone; `csi` is where its plugins are, or null where one is not healthy. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly csi?: Readonly<Record<string, NomadNode["meta"] | null>>;
  readonly resources?: { readonly cpuMhz: number; readonly memoryMb: number };
  readonly used?: { readonly cpuMhz: number; readonly memoryMb: number };
}

interface NodeEvent {
  readonly at: number;
  /** `Node drain complete` */
  readonly message: string;
  readonly deadlineReached: boolean;
}

export interface Allocation {
  readonly id: string;
  readonly node: string;
  readonly job: string;
  readonly namespace: string;
  readonly taskGroup: string;
  readonly clientStatus: "pending" | "running" | "complete" | "failed" | "lost" | "unknown";
  readonly desiredStatus: "run" | "stop" | "evict";
  /** Of a deployment that is not promoted yet: it stands for no work that is wanted. */
  readonly isCanary?: true;
  /** What its deployment says; absent where there is none. */
  readonly healthy?: boolean;
  readonly used?: NonNullable<NomadNode["used"]>;
  /** Since when it has its client status. */
  readonly since: number;
}

export interface NomadJob {
  readonly id: string;
  readonly namespace: string;
  readonly type: "service" | "batch" | "system" | "sysbatch";
  /** Each with its numbers of allocations; `desired` is 0 for a job that was stopped. */
  readonly groups: readonly {
    readonly name: string;
    readonly desired: number;
    readonly running: number;
    readonly healthy: number;
    /** Whether some of it is a canary or of an earlier version. */
    readonly isUpdating?: boolean;
    /** The nodes that have it. */
    readonly on?: readonly string[];
    /** With its job's and its tasks'. */
    readonly constraints?: readonly Constraint[];
    /** CSI volumes, as far as they are known; one without a topology is reached from everywhere. */
    readonly volumes?: readonly { plugin: string; topologies: readonly NomadNode["meta"][] }[];
    readonly maxParallel?: number;
    readonly killTimeoutSeconds?: number;
  }[];
  readonly datacenters?: readonly string[];
  readonly pool?: string | undefined;
}

/** In the words of Nomad's jobs: `${meta.rack}`, `=`, `a`. */
export type Constraint = Readonly<Record<"LTarget" | "Operand" | "RTarget", string>>;

/** Its name carries the region: `nomad-server-0-0.global`. */
export interface NomadMember extends ConsulMember {
  readonly id: string;
  /** `1.6.10`; empty where it is not known. */
  readonly version: string;
}

export interface Machine {
  readonly host: string;
  readonly id: string;
  readonly image: string;
  readonly state: "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";
}

export interface Target {
  readonly host: string;
  readonly state: "initial" | "healthy" | "unhealthy" | "draining" | "unused" | "unavailable";
  /** The load balancer's own words: `Target.FailedHealthChecks`. */
  readonly reason?: string;
}

/** `/v1/agent/self` of the agents of one machine. `stopped` is an agent that refuses the connection. */
export interface AgentSelf {
  readonly host: string;
  readonly consul: Observed<{ readonly nodeId: string } | "stopped">;
  /** Of a server its server id, of a client its node id. */
  readonly nomad: Observed<{ readonly id: string } | "stopped">;
}

export interface CheckResult {
  readonly name: string;
  /** What it is about: a host, or the name of a group or pool. */
  readonly host: string;
  readonly passed: boolean;
  /** What was seen, in a few words: `status 503`. */
  readonly value: string;
  /** When its try began. */
  readonly at: number;
  /** When the try before it began, if that passed, too. */
  readonly passedAt?: number;
  /** From then on it is too old: when the next try should have ended. */
  readonly until: number;
}

export type Answer = Pick<CheckResult, "name" | "host" | "passed" | "value">;
