import type { Endpoint } from "../../clients/http/endpoint.js";
import type { Need, RealEnvironment } from "../support/environment.js";

/**
 * A cluster of machines as the contract suite sees it, simulated or real: three Consul servers, three Nomad servers where there
 * is Nomad, and clients. Every machine runs an agent of Consul under its own name, with its node meta.
 */
export interface Cluster {
  readonly consulServers: readonly [string, string, string];
  /** Empty where the target has no Nomad. */
  readonly nomadServers: readonly string[];
  /** Each has a passing service `broker` of its own. */
  readonly clients: readonly [string, string];

  /** A machine's own agents. */
  consul(machine: string): Endpoint;
  nomad(machine: string): Endpoint;

  /** Submits a job, in the words of Nomad's API. */
  runJob(job: object): Promise<void>;

  /** The power goes: nothing leaves, nothing is said. */
  kill(machine: string): Promise<void>;
  /** Another machine of the same name and address takes its place, with empty disks. Whatever still runs there is killed. */
  startEmpty(machine: string): Promise<void>;
  /** Lets time pass, in seconds: the clock's own, or the simulator's. */
  advance(seconds: number): Promise<void>;
  /** Ends all of it. */
  close(): Promise<void>;
}

/** Where the suite runs. */
export interface Target {
  readonly name: string;
  readonly needs: readonly Need[];
  start(environment: RealEnvironment): Promise<Cluster>;
}

const STEP = 0.1;

/**
 * Waits until something holds, while time passes.
 * @param probe throws, or answers false, for as long as it does not
 * @param within seconds
 */
export async function eventually(
  cluster: Cluster,
  what: string,
  probe: () => Promise<boolean>,
  within: number,
): Promise<void> {
  let last: unknown;
  for (let passed = 0; passed < within; passed += STEP) {
    try {
      if (await probe()) return;
      last = "it did not hold";
    } catch (error) {
      last = error;
    }
    await cluster.advance(STEP);
  }
  throw new Error(`not within ${String(within)} s: ${what}`, { cause: last });
}
