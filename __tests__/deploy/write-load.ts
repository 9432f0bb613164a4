import * as z from "zod";
import type { LocalMachines } from "../../clients/local-machines/machines.js";

/**
 * Between two writes. Consul takes a server for healthy, and lets it vote, only while it is at most 250 entries behind
 * (`max_trailing_logs`) whenever it looks, which it does every two seconds: without a pause a new server was not let in for
 * minutes.
 */
const PAUSE_MS = 10;

/** Writes to Consul's KV again and again, to whichever server answers. */
export class WriteLoad {
  readonly #acknowledged: string[] = [];
  readonly #running: Promise<void>;
  #ending = false;

  constructor(private readonly machines: LocalMachines) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  /** @returns the keys whose writes were acknowledged, and those of them that are not there */
  async end(): Promise<{ readonly acknowledged: readonly string[]; readonly lost: readonly string[] }> {
    await this.stop();
    const [server = ""] = this.machines.endpoints().consul.split(",");
    const stored = z.array(z.string()).parse(await (await fetch(`${server}/v1/kv/load?keys`)).json());
    const there = new Set(stored);
    return { acknowledged: this.#acknowledged, lost: this.#acknowledged.filter((key) => !there.has(key)) };
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#ending; number++) {
      const servers = this.machines.endpoints().consul.split(",");
      const server = servers[number % servers.length] ?? "";
      const key = `load/${String(number)}`;
      const written = await fetch(`${server}/v1/kv/${key}`, {
        method: "PUT",
        body: key,
        signal: AbortSignal.timeout(5000),
      })
        .then(async (response) => response.ok && (await response.text()).trim() === "true")
        .catch(() => false);
      if (written) this.#acknowledged.push(key);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
