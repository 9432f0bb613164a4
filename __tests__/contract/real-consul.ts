import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startAgent, type RealAgent } from "./real-agent.js";
import type { Cluster, Target } from "./target.js";

const consulServers = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"] as const;
const clients = ["broker-0-0", "broker-1-0"] as const;

/** Real agents on loopback addresses of their own, with Consul's usual ports; faster than by default where that changes no order. */
export const realConsul: Target = {
  name: "the real Consul",
  needs: ["consul"],
  start: async ({ consul }) => {
    const cluster = new RealConsul(consul, await mkdtemp(join(tmpdir(), "rollout-consul-")));
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  },
};

class RealConsul implements Cluster {
  readonly consulServers = consulServers;
  readonly nomadServers = [];
  readonly clients = clients;
  readonly #agents = new Map<string, RealAgent>();
  /** Several runs on one machine must not meet. */
  readonly #network = `127.${String(randomInt(64, 250))}.${String(randomInt(1, 250))}`;

  constructor(
    readonly binary: string,
    readonly folder: string,
  ) {}

  async startAll(): Promise<void> {
    await Promise.all([...consulServers, ...clients].map((machine) => this.startEmpty(machine)));
  }

  consul(machine: string) {
    return { url: `http://${this.#address(machine)}:8500` };
  }

  nomad(machine: string): never {
    throw new Error(`no Nomad runs on ${machine}`);
  }

  runJob(): never {
    throw new Error("no Nomad runs here");
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
    await writeFile(file, JSON.stringify(this.#configuration(machine, folder)));
    this.#agents.set(machine, startAgent(this.binary, ["agent", `-config-file=${file}`]));
  }

  async advance(seconds: number): Promise<void> {
    await wait(seconds * 1000);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.keys()].map((machine) => this.kill(machine)));
    await rm(this.folder, { recursive: true, force: true });
  }

  #address(machine: string): string {
    const index = [...consulServers, ...clients].findIndex((name) => name === machine);
    if (index === -1) throw new Error(`no such machine: ${machine}`);
    return `${this.#network}.${String(index + 1)}`;
  }

  #configuration(machine: string, folder: string): object {
    const isServer = consulServers.some((name) => name === machine);
    const address = this.#address(machine);
    const group = machine.replace(/-\d+$/, "");
    return {
      node_name: machine,
      node_meta: {
        rollout_cluster: "contract",
        rollout_pool: group.replace(/-\d+$/, ""),
        rollout_group: group,
        rollout_host: machine,
        rollout_image: "ami-0aaa",
      },
      data_dir: join(folder, "data"),
      log_file: join(folder, "agent.log"),
      bind_addr: address,
      client_addr: address,
      ports: { dns: -1, grpc: -1, serf_wan: -1 },
      retry_join: consulServers.map((name) => this.#address(name)),
      retry_interval: "1s",
      disable_update_check: true,
      leave_on_terminate: false,
      performance: { raft_multiplier: 1, leave_drain_time: "200ms" },
      ...(isServer
        ? { server: true, bootstrap_expect: 3, autopilot: { server_stabilization_time: "2s" } }
        : { services: [{ id: `broker-${machine}`, name: "broker", port: 9000 }] }),
    };
  }
}
