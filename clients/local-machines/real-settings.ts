import type { MachineOrder } from "./agents-runner.js";

type Settings = Readonly<Record<string, unknown>>;

/** The same in both: read when a cluster is made for the first time. */
const AUTOPILOT = {
  cleanup_dead_servers: true,
  server_stabilization_time: "10s",
  last_contact_threshold: "200ms",
  max_trailing_logs: 250,
};

/** What `docs/image` has in `/etc/consul.d`, for an agent that has a loopback address in place of a machine. */
export function consulSettings(
  { name, role, meta, servers }: MachineOrder,
  address: string,
  data: string,
): Settings {
  return {
    datacenter: "dc1",
    node_name: name,
    node_meta: meta,
    data_dir: data,
    bind_addr: address,
    client_addr: address,
    ports: { dns: -1, grpc: -1, serf_wan: -1 },
    retry_interval: "5s",
    disable_update_check: true,
    ...(role === "consul-server"
      ? {
          server: true,
          bootstrap_expect: servers,
          leave_on_terminate: false,
          skip_leave_on_interrupt: true,
          performance: { raft_multiplier: 1 },
          autopilot: AUTOPILOT,
        }
      : { server: false, leave_on_terminate: true, skip_leave_on_interrupt: false }),
  };
}

/** Nomad's probes for clouds, which ask addresses beyond loopback. */
const CLOUDS = "env_aws,env_azure,env_digitalocean,env_gce";

/** Task ports of all machines are the same loopback interface's, so each machine has some of its own. */
const PORTS = { first: 20_000, each: 100, machines: 120 };

/**
 * What `docs/image` has in `/etc/nomad.d`. A client runs as who starts it, so its tasks are processes of that user.
 * @param number one that no other machine of the cluster has, as far as there are enough
 */
export function nomadSettings(
  { name, role, meta, servers }: MachineOrder,
  address: string,
  data: string,
  number: number,
): Settings {
  const from = PORTS.first + (number % PORTS.machines) * PORTS.each;
  return {
    name,
    datacenter: "dc1",
    region: "global",
    data_dir: data,
    bind_addr: address,
    // Nomad advertises a loopback address only when it is told to.
    advertise: { http: address, rpc: address, serf: address },
    disable_update_check: true,
    consul: { address: `${address}:8500`, server_auto_join: true, client_auto_join: true },
    ...(role === "nomad-server"
      ? {
          server: { enabled: true, bootstrap_expect: servers },
          leave_on_interrupt: true,
          leave_on_terminate: true,
          autopilot: AUTOPILOT,
        }
      : {
          client: {
            enabled: true,
            meta,
            network_interface: "lo",
            min_dynamic_port: from,
            max_dynamic_port: from + PORTS.each - 1,
            options: { "driver.allowlist": "raw_exec", "fingerprint.denylist": CLOUDS },
          },
          leave_on_interrupt: false,
          leave_on_terminate: false,
          plugin: [{ raw_exec: [{ config: [{ enabled: true }] }] }],
        }),
  };
}
