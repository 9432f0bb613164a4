import { ConsulClient } from "../clients/consul/consul-client.js";
import type { Environment } from "../clients/environment.js";
import type { Endpoint } from "../clients/http/endpoint.js";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import { LoadBalancer } from "../clients/aws/load-balancer.js";
import { Ec2Machines, type Ec2Machine } from "../clients/aws/ec2.js";
import { CONSUL, NOMAD, type Service } from "../clients/http/service.js";
import { NomadClient } from "../clients/nomad/nomad-client.js";
import { isHostOf } from "../rollout/observation/host-of.js";
import type {
  CheckResult,
  Machine,
  Observation,
  Observed,
  Target,
} from "../rollout/observation/observation.js";
import { parseGroupName, parseHostName } from "../cluster/address.js";
import { UserError } from "../cluster/user-error.js";
import { serversOf, type Role } from "../cluster/groups.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { ask } from "./observe/ask.js";
import { Directory } from "./directory.js";
import { localAgents, localEnvironment } from "./local-agents.js";
import { sshAgents, type MachineAgents } from "./machine-agents.js";
import { observeAgents } from "./observe/agents.js";
import { observeConsul } from "./observe/consul.js";
import { groupMachines, targetsOf } from "./observe/machines.js";
import { snapshotTime } from "./observe/snapshot-time.js";
import { observeNomad } from "./observe/nomad.js";
import { hostsToAsk, tunnelsTo } from "./tunnels.js";

export interface Question {
  readonly group: string;
  readonly role: Role;
  /** The hosts whose own agents are asked who they are: for ready the group's, before a server goes the other servers. */
  readonly agentsOf: readonly string[];
  /** The last results of the pool's own checks, handed through. */
  readonly checks: readonly CheckResult[];
  /** The snapshot of the servers that go. Absent, or not there: none has been taken. */
  readonly snapshotFile?: string;
  /** Whether nothing has left yet, so that it is asked where the group's work could go, and how all of its pool is. Default: not */
  readonly before?: boolean;
}

/** What AWS can be asked. */
interface Cloud {
  /** Every machine of the cluster, those that ended lately included. */
  machines(): Promise<readonly Ec2Machine[]>;
  readonly balancer: Pick<LoadBalancer, "targetStates" | "deregister" | "register">;
}

/**
 * The cluster that the environment names (`CONSUL_HTTP_ADDR`, `NOMAD_ADDR` and the others), or that ssh reaches, and the
 * machines of the spec. Nothing is asked yet.
 * @param now milliseconds since 1970
 * @param local the machines of platform local: asked whatever the environment names
 * @param group what is worked on: nobody is asked through its machines as long as others answer
 * @throws UserError naming the variable that cannot be used, and for platform local without machines that have agents:
 * what the environment names is another cluster then
 */
export async function connect(
  spec: Spec,
  env: Environment,
  now: () => number = Date.now,
  local?: LocalMachines,
  group?: string,
): Promise<LiveCluster> {
  if (local) {
    const own = localEnvironment(local, env);
    const timeAt = (real: number): number => local.timeAt(real);
    const agents = () => localAgents(own, local);
    return new LiveCluster(spec, { ...(await clientsOf(own)), now, timeAt, agents });
  }
  if (spec.platform === "local") {
    throw new UserError(
      "this cluster on platform local has no agents (local.agents: none), so there is nobody to ask",
    );
  }
  const { region } = spec.aws;
  const ec2 = new Ec2Machines({ region });
  const machines = () => ec2.find(spec.name, { terminated: true });
  const cloud: Cloud = { machines, balancer: new LoadBalancer({ region }) };
  // The way to Consul cannot be asked of Consul; and a directory remembers, while a tunnel is opened anew where one has died.
  const addressOf = (host: string) =>
    new Directory({ catalog: () => Promise.resolve([]), machines }).addressOf(host);
  const tunnels = (service: Service) => tunnelsTo(service, env, hostsToAsk(service, spec, group), addressOf);
  const agents = (directory: Directory) => sshAgents(env, (host) => directory.addressOf(host));
  return new LiveCluster(spec, { ...(await clientsOf(env, tunnels)), now, cloud, agents });
}

/** The clients of the servers that an environment names, or that tunnels lead to. */
async function clientsOf(
  env: Environment,
  tunnels: (service: Service) => readonly Endpoint[] = () => [],
): Promise<Pick<Parts, "consul" | "nomad">> {
  return {
    consul: await ConsulClient.fromEnvironment(env, ...tunnels(CONSUL)),
    nomad: await NomadClient.fromEnvironment(env, ...tunnels(NOMAD)),
  };
}

interface Parts {
  readonly consul: ConsulClient;
  readonly nomad: NomadClient;
  readonly agents: (directory: Directory) => MachineAgents;
  readonly now: () => number;
  /** Absent on the local platform. */
  readonly cloud?: Cloud;
  /** The cluster's own time at a moment of real time, where it has one. */
  readonly timeAt?: (real: number) => number;
}

/** A cluster that can be asked, and told what to do. */
export class LiveCluster {
  readonly consul: ConsulClient;
  readonly nomad: NomadClient;
  readonly agents: MachineAgents;
  readonly #directory: Directory;

  constructor(
    private readonly spec: Spec,
    private readonly parts: Parts,
  ) {
    const { consul, nomad, agents, cloud } = parts;
    this.consul = consul;
    this.nomad = nomad;
    this.#directory = new Directory({
      catalog: () => consul.nodes(),
      ...(cloud ? { machines: () => cloud.machines() } : {}),
    });
    this.agents = agents(this.#directory);
  }

  /**
   * What can be seen now. What could not be asked is said in its place; nothing of the surroundings makes it throw. Its time
   * is that of the first question: nothing in it is older.
   */
  async observe({ group, role, agentsOf, checks, snapshotFile, before }: Question): Promise<Observation> {
    const { now, timeAt = (real: number) => real } = this.parts;
    const at = now();
    this.#directory.forget();
    const asking = this.machines(group);
    const [consul, nomad, machines, targets, agents, snapshotAt] = await Promise.all([
      observeConsul(this.consul, () => this.#directory.catalog(), group, before),
      observeNomad(this.nomad, { group, role }, before),
      asking,
      asking.then((machines) => this.#targets(group, machines)),
      observeAgents(this.agents, agentsOf, role),
      ask(() => snapshotTime(snapshotFile, timeAt)),
    ]);
    const consulServers = serversOf(this.spec, "consul-server");
    return { at, consul, nomad, snapshotAt, machines, targets, agents, checks, consulServers };
  }

  /** Takes machines out of their pool's load balancer, where open connections go on until they are drained; or in again. */
  async balance(how: "deregister" | "register", hosts: readonly string[]): Promise<void> {
    const { cloud } = this.parts;
    const pool = parseHostName(hosts[0] ?? "")?.pool ?? "";
    if (!cloud || !this.#hasBalancer(pool)) return;
    const isMeant = ({ host, state }: Ec2Machine): boolean =>
      hosts.includes(host ?? "") && (how === "deregister" || state === "running");
    const ids = (await cloud.machines()).filter(isMeant).map(({ instanceId }) => instanceId);
    const targets = [`${this.spec.name}-${pool}`, ids] as const;
    await (how === "register" ? cloud.balancer.register(...targets) : cloud.balancer.deregister(...targets));
  }

  #hasBalancer(pool: string): boolean {
    const settings: { readonly loadBalancer?: unknown } | undefined = this.spec.pools[pool];
    return settings?.loadBalancer !== undefined;
  }

  async close(): Promise<void> {
    await Promise.all([this.agents.close(), this.consul.close(), this.nomad.close()]);
  }

  /** What EC2 knows. @param group whose machines all have to have names */
  async machines(group = ""): Promise<Observed<readonly Machine[]>> {
    const machines = this.#directory.machines();
    if (machines === undefined) return { unknown: "there is no EC2 on platform local", absent: true };
    return ask(async () => groupMachines(await machines, group));
  }

  /** The name of a target group is the cluster's and the pool's, as it is declared. */
  async #targets(
    group: string,
    machines: Observed<readonly Machine[]>,
  ): Promise<Observed<readonly Target[]>> {
    const { cloud } = this.parts;
    if (!cloud) return [];
    const pool = parseGroupName(group)?.pool ?? "";
    if (this.spec.pools[pool] === undefined)
      return {
        unknown: `the pool of ${group} is not in the spec, so nobody knows whether it has a load balancer`,
      };
    if (!this.#hasBalancer(pool)) return [];
    return targetsOf(
      machines,
      (host) => isHostOf(group, host),
      (ids) => cloud.balancer.targetStates(`${this.spec.name}-${pool}`, ids),
    );
  }
}
