import { setTimeout as wait } from "node:timers/promises";
import type { RollDemo } from "../deploy/roll-demo.js";
import type { KafkaCluster } from "./kafka-cluster.js";

/** Between two looks at what has happened to the machines. */
const EVERY_MS = 200;

/** Lets each broker live as its machine does: broker 1 is that of broker-1-0. */
export class BrokersOfMachines {
  /** Of the brokers, as they went. */
  readonly #gone: number[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(
    private readonly demo: RollDemo,
    private readonly cluster: KafkaCluster,
    private seen: number,
  ) {
    this.#running = this.#run();
    // Thrown by `end`.
    this.#running.catch(() => undefined);
  }

  static async follow(demo: RollDemo, cluster: KafkaCluster): Promise<BrokersOfMachines> {
    return new BrokersOfMachines(demo, cluster, (await demo.events()).length);
  }

  /** @returns the brokers whose machines went, in this order */
  async end(): Promise<readonly number[]> {
    this.#stop.abort();
    await this.#running;
    return this.#gone;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#look();
      await wait(EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    await this.#look();
  }

  async #look(): Promise<void> {
    const events = await this.demo.events();
    for (const { machine, what } of events.slice(this.seen)) {
      const [, number] = /^broker-(\d)-0$/.exec(machine) ?? [];
      if (number === undefined) continue;
      const id = Number(number);
      if (what === "killed") {
        this.#gone.push(id);
        await this.cluster.endBroker(id);
      } else if (what === "started") await this.cluster.startBroker(id);
    }
    this.seen = events.length;
  }
}
