import { setTimeout as wait } from "node:timers/promises";
import type { ConsulClient } from "../../clients/consul/consul-client.js";
import { PAUSE_MS, Tally, type Patience } from "./tally.js";

const CLIENTS = 2;

/** For the answer to one request. Milliseconds. */
const TIMEOUT_MS = 5000;

/** Asks a service again and again, each time an instance that Consul calls healthy, as its clients would. */
export class RequestLoad {
  readonly #requests: Tally;
  #turn = 0;

  constructor(
    private readonly consul: () => ConsulClient,
    private readonly service: string,
    patience: Patience,
  ) {
    this.#requests = new Tally(patience);
  }

  /** Keeps on until it is stopped; what has been begun then is finished. */
  async run(stop: AbortSignal): Promise<void> {
    const client = async (): Promise<void> => {
      while (!stop.aborted) {
        await this.#requests.attempt(async () => this.#ask());
        await wait(PAUSE_MS);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  async #ask(): Promise<void> {
    const instances = await this.consul().passingInstances(this.service);
    const instance = instances[this.#turn++ % Math.max(1, instances.length)];
    if (instance === undefined) throw new Error(`Consul knows no healthy instance of ${this.service}`);
    const { Service: service, Node: node } = instance;
    const address = service.Address === "" ? node.Address : service.Address;
    const answer = await fetch(`http://${address}:${String(service.Port)}/service/${this.service}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.text();
    if (!answer.ok) throw new Error(`${this.service} on ${node.Node} answered ${String(answer.status)}`);
  }

  get result() {
    return this.#requests.result;
  }
}
