import { setTimeout as wait } from "node:timers/promises";
import type { ConsulKv } from "../../clients/consul/consul-kv.js";
import { PAUSE_MS, Tally, type Patience } from "./tally.js";

/** Where all keys of the load lie. */
const FOLDER = "rollout-rehearsal/";

const WRITERS = 3;

/**
 * Writes keys and reads them again. Each write has a key of its own and a counter in its value, so that the end can tell
 * for every single one whether it is there; a write that failed may be stored all the same, and is not looked for.
 */
export class KeyValueLoad {
  readonly #acknowledged = new Map<string, string>();
  readonly #writes: Tally;
  readonly #reads: Tally;

  constructor(
    /** Asked for each operation, since the agents that are asked change. */
    private readonly kv: () => ConsulKv,
    patience: Patience,
  ) {
    this.#writes = new Tally(patience);
    this.#reads = new Tally(patience);
  }

  /** Keeps on until it is stopped; what has been begun then is finished. */
  async run(stop: AbortSignal): Promise<void> {
    const writers = Array.from({ length: WRITERS }, (_, writer) => this.#write(writer, stop));
    await Promise.all([...writers, this.#read(stop)]);
  }

  async #write(writer: number, stop: AbortSignal): Promise<void> {
    for (let counter = 1; !stop.aborted; counter++) {
      const key = `${FOLDER}${String(writer)}/${String(counter).padStart(8, "0")}`;
      const value = JSON.stringify({ writer, counter });
      const isWritten = await this.#writes.attempt(async () => this.kv().put(key, value));
      if (isWritten === true) this.#acknowledged.set(key, value);
      await wait(PAUSE_MS);
    }
  }

  /** Reads what was acknowledged last: an answer that does not have it is as wrong as none. */
  async #read(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await wait(PAUSE_MS);
      const newest = [...this.#acknowledged].at(-1);
      if (newest === undefined) continue;
      const [key, value] = newest;
      await this.#reads.attempt(async () => {
        const found = (await this.kv().get(key))?.Value;
        if (found !== value)
          throw new Error(`${key} is ${found ?? "not there"} and was acknowledged as ${value}`);
      });
    }
  }

  /** Reads every acknowledged write again. */
  async result() {
    const found = new Map((await this.kv().list(FOLDER)).map(({ Key, Value }) => [Key, Value]));
    const lost = [...this.#acknowledged].filter(([key, value]) => found.get(key) !== value);
    return {
      writes: {
        ...this.#writes.result,
        acknowledged: this.#acknowledged.size,
        lost: lost.map(([key]) => key).sort(),
      },
      reads: this.#reads.result,
    };
  }
}
