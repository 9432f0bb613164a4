import { setTimeout as wait } from "node:timers/promises";
import type { ClusterOptions } from "../../packages/simulator/cluster.js";
import { startSimulator, type Simulator } from "../../packages/simulator/http/simulator.js";
import type { MachineSettings } from "../../packages/simulator/machine.js";
import { LOCAL_EXAMPLE, specOf } from "../cluster/yaml/example.js";
import { machineNamed } from "../support/simulated-machine.js";
import type { Cluster, Target } from "./target.js";

/** Simulated time passes fifty times as fast: it passes by itself, because a request that takes its time is waited for. */
const FACTOR = 0.02;

const SPEC = specOf(LOCAL_EXAMPLE);

const consulServers = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"] as const;
const nomadServers = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"] as const;
const clients = ["broker-0-0", "broker-1-0"] as const;
const everyone = [...consulServers, ...nomadServers, ...clients];

/** The simulator, which is always there. */
export const simulated = (name: string, versions: Pick<ClusterOptions, "consul" | "nomad"> = {}): Target => ({
  name,
  needs: [],
  start: async () => {
    const simulator = await startSimulator({
      ...versions,
      clock: "real",
      factor: FACTOR,
      machines: everyone.map(settingsOf),
    });
    const cluster = new Simulated(simulator);
    await Promise.all(clients.map((machine) => cluster.registerService(machine)));
    return cluster;
  },
});

class Simulated implements Cluster {
  readonly consulServers = consulServers;
  readonly nomadServers = nomadServers;
  readonly clients = clients;

  constructor(readonly simulator: Simulator) {}

  consul(machine: string) {
    return { url: `${this.simulator.url(machine)}/consul` };
  }

  nomad(machine: string) {
    return { url: `${this.simulator.url(machine)}/nomad` };
  }

  runJob(job: object): Promise<void> {
    this.simulator.do(() => {
      this.simulator.cluster.runJob(job);
    });
    return Promise.resolve();
  }

  kill(machine: string): Promise<void> {
    this.simulator.do(() => {
      this.simulator.cluster.killMachine(machine);
    });
    return Promise.resolve();
  }

  async startEmpty(machine: string): Promise<void> {
    await this.kill(machine);
    await this.simulator.startMachine(settingsOf(machine), "empty");
    if (clients.some((name) => name === machine)) await this.registerService(machine);
  }

  async advance(seconds: number): Promise<void> {
    await wait(seconds * 1000 * FACTOR);
  }

  async close(): Promise<void> {
    await this.simulator.close();
  }

  async registerService(machine: string): Promise<void> {
    const response = await fetch(`${this.consul(machine).url}/v1/agent/service/register`, {
      method: "PUT",
      body: JSON.stringify({ ID: `broker-${machine}`, Name: "broker", Port: 9000 }),
    });
    if (!response.ok) throw new Error(`the service was refused: ${await response.text()}`);
  }
}

const settingsOf = (machine: string): MachineSettings => machineNamed(SPEC, machine);
