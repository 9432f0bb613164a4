import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endMarked, MARKER } from "../../clients/local-machines/marked-processes.js";
import { unmountBelow } from "../../clients/local-machines/mounts.js";
import { startAgent, type RealAgent } from "./real-agent.js";
import type { Cluster, Target } from "./target.js";

const nomadServers = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"] as const;
const clients = ["broker-0-0", "broker-1-0"] as const;

/** Real agents of Nomad, without Consul, on loopback addresses of their own, with Nomad's usual ports and times. */
export const realNomad: Target = {
  name: "the real Nomad",
  needs: ["nomad"],
  start: async ({ nomad }) => {
    const cluster = new RealNomad(nomad, await mkdtemp(join(tmpdir(), "rollout-nomad-")));
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  },
};

class RealNomad implements Cluster {
  readonly consulServers = ["none", "none", "none"] as const;
  readonly nomadServers = nomadServers;
  readonly clients = clients;
  readonly #agents = new Map<string, RealAgent>();
  /** Several runs on one machine must not meet. */
  readonly #network = `127.${String(randomInt(64, 250))}.${String(randomInt(1, 250))}`;

  constructor(
    readonly binary: string,
    readonly folder: string,
  ) {}

  async startAll(): Promise<void> {
    await Promise.all([...nomadServers, ...clients].map((machine) => this.startEmpty(machine)));
  }

  consul(machine: string): never {
    throw new Error(`no Consul runs on ${machine}`);
  }

  nomad(machine: string) {
    return { url: `http://${this.#address(machine)}:4646` };
  }

  async runJob(job: object): Promise<void> {
    const response = await fetch(`${this.nomad(nomadServers[0]).url}/v1/jobs`, {
      method: "PUT",
      body: JSON.stringify({ Job: job }),
    });
    if (!response.ok) throw new Error(`the job was refused: ${await response.text()}`);
  }

  async kill(machine: string): Promise<void> {
    await this.#agents.get(machine)?.kill();
    this.#agents.delete(machine);
    // A machine that loses its power loses its tasks, too.
    const folder = join(this.folder, machine);
    await endMarked((marker) => marker === folder);
    unmountBelow(folder);
  }

  async startEmpty(machine: string): Promise<void> {
    await this.kill(machine);
    const folder = join(this.folder, machine);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    const file = join(folder, "agent.json");
    await writeFile(file, JSON.stringify(this.#configuration(machine, folder)));
    this.#agents.set(machine, startAgent(this.binary, ["agent", `-config=${file}`], { [MARKER]: folder }));
  }

  async advance(seconds: number): Promise<void> {
    await wait(seconds * 1000);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.keys()].map((machine) => this.kill(machine)));
    await rm(this.folder, { recursive: true, force: true });
  }

  #address(machine: string): string {
    const index = [...nomadServers, ...clients].findIndex((name) => name === machine);
    if (index === -1) throw new Error(`no such machine: ${machine}`);
    return `${this.#network}.${String(index + 1)}`;
  }

  #configuration(machine: string, folder: string): object {
    const address = this.#address(machine);
    const servers = nomadServers.map((name) => this.#address(name));
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
