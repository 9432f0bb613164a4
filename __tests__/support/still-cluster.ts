import type { LiveCluster, Question } from "../../live/live-cluster.js";
import type { Environment } from "../../clients/environment.js";
import type { Observation } from "../../rollout/observation/observation.js";
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../packages/simulator/http/simulator.js";
import type { MachineSettings } from "../../packages/simulator/machine.js";
import { LOCAL_EXAMPLE, specOf } from "../cluster/yaml/example.js";
import { machineNamed } from "./simulated-machine.js";
import { connectTo } from "./simulated-cluster.js";

const SPEC = specOf(LOCAL_EXAMPLE);

export const CONSULS = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"] as const;
export const NOMADS = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"] as const;
const BROKERS = ["broker-0-0", "broker-1-0"] as const;
export const ALL = [...CONSULS, ...NOMADS, ...BROKERS] as const;

/** A machine of the example, by its name. */
export const machine = (name: string): MachineSettings => machineNamed(SPEC, name);

/** A simulated cluster and the program's view of it. */
export interface World {
  readonly simulator: Simulator;
  readonly live: LiveCluster;
  observe(question?: Partial<Question>): Promise<Observation>;
  close(): Promise<void>;
}

/** Three Consul servers, three Nomad servers and two brokers with a service of two, all well, on a clock that stands still. */
export async function startWorld(options: SimulatorOptions = {}, env: Environment = {}): Promise<World> {
  const simulator = await startSimulator({ machines: ALL.map(machine), ...options });
  simulator.advance(31_000);
  simulator.do(() => {
    simulator.cluster.runJob({ ID: "web", TaskGroups: [{ Name: "g", Count: 2, Tasks: [{ Name: "t" }] }] });
  });
  simulator.advance(30_000);
  const live = await connectTo(
    simulator,
    SPEC,
    {
      CONSUL_HTTP_ADDR: `${simulator.url(CONSULS[0])}/consul`,
      NOMAD_ADDR: `${simulator.url(NOMADS[0])}/nomad`,
      ...env,
    },
    () => Date.parse(simulator.cluster.timeline.stamp()),
  );
  return {
    simulator,
    live,
    observe: (question = {}) =>
      live.observe({ group: "broker-0", role: "client", agentsOf: [], checks: [], ...question }),
    close: async () => {
      await live.close();
      await simulator.close();
    },
  };
}
