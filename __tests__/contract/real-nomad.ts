import { join } from "node:path";
import { endMarked, MARKER } from "../../clients/local-machines/marked-processes.js";
import { unmountBelow } from "../../clients/local-machines/mounts.js";
import { RealMachines } from "./real-machines.js";
import type { Cluster, Target } from "./target.js";

const nomadServers = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"] as const;
const clients = ["broker-0-0", "broker-1-0"] as const;

/** Real agents of Nomad, without Consul, on loopback addresses of their own, with Nomad's usual ports and times. */
export const realNomad: Target = {
  name: "the real Nomad",
  needs: ["nomad"],
  start: ({ nomad }) => RealMachines.start((folder) => new RealNomad(folder, nomad)),
};

class RealNomad extends RealMachines implements Cluster {
  readonly consulServers = ["none", "none", "none"] as const;
  readonly nomadServers = nomadServers;
  readonly clients = clients;

  constructor(folder: string, binary: string) {
    super(folder, [...nomadServers, ...clients], [binary, "-config"]);
  }

  consul(machine: string): never {
    throw new Error(`no Consul runs on ${machine}`);
  }

  nomad(machine: string) {
    return { url: `http://${this.addressOf(machine)}:4646` };
  }

  async runJob(job: object): Promise<void> {
    const response = await fetch(`${this.nomad(nomadServers[0]).url}/v1/jobs`, {
      method: "PUT",
      body: JSON.stringify({ Job: job }),
    });
    if (!response.ok) throw new Error(`the job was refused: ${await response.text()}`);
  }

  override async kill(machine: string): Promise<void> {
    await super.kill(machine);
    // A machine that loses its power loses its tasks, too.
    const folder = join(this.folder, machine);
    await endMarked((marker) => marker === folder);
    unmountBelow(folder);
  }

  protected override environment(folder: string) {
    return { [MARKER]: folder };
  }

  protected override configuration(machine: string, folder: string): object {
    const address = this.addressOf(machine);
    const servers = nomadServers.map((name) => this.addressOf(name));
    const group = machine.replace(/-\d+$/, "");
    const isServer = nomadServers.some((name) => name === machine);
    return {
      name: machine,
      data_dir: join(folder, "data"),
      log_file: join(folder, "agent.log"),
      bind_addr: address,
      // Nomad advertises a loopback address only when it is told to.
      advertise: { http: address, rpc: address, serf: address },
      disable_update_check: true,
      leave_on_interrupt: false,
      leave_on_terminate: false,
      consul: { auto_advertise: false, server_auto_join: false, client_auto_join: false },
      ...(isServer
        ? {
            server: {
              enabled: true,
              bootstrap_expect: 3,
              server_join: { retry_join: servers, retry_interval: "1s" },
            },
          }
        : {
            client: {
              enabled: true,
              servers: servers.map((address) => `${address}:4647`),
              meta: { rollout_pool: group.replace(/-\d+$/, ""), rollout_group: group, rollout_host: machine },
              options: {
                "driver.allowlist": "raw_exec",
                // They ask the metadata services of clouds.
                "fingerprint.denylist": "env_aws,env_azure,env_digitalocean,env_gce",
              },
            },
            plugin: [{ raw_exec: [{ config: [{ enabled: true }] }] }],
          }),
    };
  }
}
