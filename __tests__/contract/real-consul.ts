import { join } from "node:path";
import { RealMachines } from "./real-machines.js";
import type { Cluster, Target } from "./target.js";

const consulServers = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"] as const;
const clients = ["broker-0-0", "broker-1-0"] as const;

/** Real agents on loopback addresses of their own, with Consul's usual ports; faster than by default where that changes no order. */
export const realConsul: Target = {
  name: "the real Consul",
  needs: ["consul"],
  start: ({ consul }) => RealMachines.start((folder) => new RealConsul(folder, consul)),
};

class RealConsul extends RealMachines implements Cluster {
  readonly consulServers = consulServers;
  readonly nomadServers = [];
  readonly clients = clients;

  constructor(folder: string, binary: string) {
    super(folder, [...consulServers, ...clients], [binary, "-config-file"]);
  }

  consul(machine: string) {
    return { url: `http://${this.addressOf(machine)}:8500` };
  }

  nomad(machine: string): never {
    throw new Error(`no Nomad runs on ${machine}`);
  }

  runJob(): never {
    throw new Error("no Nomad runs here");
  }

  protected override environment() {
    return {};
  }

  protected override configuration(machine: string, folder: string): object {
    const isServer = consulServers.some((name) => name === machine);
    const address = this.addressOf(machine);
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
      retry_join: consulServers.map((name) => this.addressOf(name)),
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
