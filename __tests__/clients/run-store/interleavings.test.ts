import { describe, expect, test } from "@jest/globals";
import { LogReader, LogWriter } from "../../../clients/run-store/run-log.js";
import { RunLock } from "../../../clients/run-store/run-lock.js";
import type { RunStore } from "../../../clients/run-store/run-store.js";
import { UserError } from "../../../cluster/user-error.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import { isLong } from "../../support/long.js";
import { MemoryStore } from "../../support/memory-store.js";

const CASES = isLong ? 1000 : 50;
/** How long whatever is random goes on, in milliseconds. */
const LENGTH = 1_500_000;

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Time that moves from one who waits to the next. */
class Timeline {
  at = 1_800_000_000_000;
  #waiting: { readonly until: number; readonly go: () => void }[] = [];

  readonly now = (): number => this.at;

  readonly pause = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new Error("ended"));
        return;
      }
      const waits = { until: this.at + Math.max(0, ms), go: resolve };
      this.#waiting.push(waits);
      if (signal === undefined) return;
      signal.onabort = () => {
        this.#waiting = this.#waiting.filter((each) => each !== waits);
        reject(new Error("ended"));
      };
    });

  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#waiting.sort((a, b) => a.until - b.until);
      if (next === undefined) return;
      this.#waiting.shift();
      this.at = Math.max(this.at, next.until);
      next.go();
    }
  }
}

/** What one runner sees of a store: answers take time and get lost, and for a while nothing comes through. */
class ShakyStore implements RunStore {
  readonly where = "memory";
  #downUntil = 0;

  constructor(
    private readonly store: MemoryStore,
    private readonly time: Timeline,
    private readonly random: () => number,
  ) {}

  read = (name: string) => this.#shaken(() => this.store.read(name));
  list = (prefix: string) => this.#shaken(() => this.store.list(prefix));
  write = (name: string, text: string, seen: string | undefined) =>
    this.#shaken(() => this.store.write(name, text, seen));

  async #shaken<T>(ask: () => Promise<T>): Promise<T> {
    await this.time.pause(this.random() * 3_000);
    if (this.random() < 0.03) this.#downUntil = this.time.now() + this.random() * 400_000;
    const isDown = this.time.now() < this.#downUntil;
    if (isDown || this.random() < 0.05) {
      await this.time.pause(this.random() * 10_000);
      throw new UserError("no answer");
    }
    const answer = await ask();
    await this.time.pause(this.random() * 3_000);
    if (this.random() < 0.05) throw new UserError("done, and the answer was lost");
    return answer;
  }
}

/** Runs two runners, each again and again, one of which may be killed at any time. @returns what they did, in its order */
async function play(seed: number) {
  const random = randomOf(seed);
  const time = new Timeline();
  const truth = new MemoryStore(time.now);
  const begun: string[] = [];
  const recorded: string[] = [];
  const end = time.now() + LENGTH;

  const runner = async (name: string): Promise<void> => {
    const store = new ShakyStore(truth, time, random);
    for (let count = 0; time.now() < end; count++) {
      await time.pause(random() * 30_000);
      const run = `${name}${String(count)}`;
      const lock = await RunLock.take(store, { run, command: "rollout deploy --all", clock: time }).catch(
        () => undefined,
      );
      if (lock === undefined) continue;
      const ended = new AbortController();
      const lost = new AbortController();
      const renewing = lock.renewUntil(ended.signal, () => {
        lost.abort();
      });
      const log = new LogWriter(store, time, `${String(time.now())}-${run}`);
      const isKilled = random() < 0.3;
      const steps = 1 + Math.floor(random() * 6);
      for (let step = 0; step < steps && !lost.signal.aborted; step++) {
        try {
          await lock.prove();
          // From here to the beginning of a step no clock runs but that of one request.
          begun.push(run);
          const event: LogEvent = {
            at: new Date(time.now()).toISOString(),
            run,
            event: "step-started",
            message: String(step),
          };
          await log.add(event);
          recorded.push(`${run} ${String(step)}`);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          break;
        }
        await time.pause(random() * 300_000);
      }
      ended.abort();
      await renewing;
      if (!isKilled) await lock.release();
    }
  };
  await Promise.all([runner("a"), runner("b"), time.run()]);
  const { events } = await new LogReader(truth).read();
  return { begun, recorded, events };
}

describe("Two runners on one store that fails", () => {
  test(`of ${String(CASES)} interleavings none lets two runs in at a time, and none loses a step that was recorded`, async () => {
    let [steps, changes] = [0, 0];
    for (let seed = 1; seed <= CASES; seed++) {
      const { begun, recorded, events } = await play(seed);
      const tenures = begun.filter((run, index) => run !== begun[index - 1]);
      // Once another has begun, a run begins nothing more.
      expect({ seed, again: tenures.length - new Set(tenures).size }).toEqual({ seed, again: 0 });
      const found = new Set(events.map(({ run, message = "" }) => `${run} ${message}`));
      expect({ seed, lost: recorded.filter((each) => !found.has(each)) }).toEqual({ seed, lost: [] });
      steps += recorded.length;
      changes += tenures.length;
    }
    expect(steps).toBeGreaterThan(CASES);
    expect(changes).toBeGreaterThan(CASES);
  });
});
