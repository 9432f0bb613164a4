import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** What threads run, beside the bundle and beside the compiled sources. */
const fileOf = (name: string): string => fileURLToPath(new URL(`./${name}-worker.js`, import.meta.url));

/** Answers once, while this thread does something else. */
export class Thread<Answer> {
  private readonly worker: Worker;
  private readonly answered: Promise<Answer | undefined>;

  /** Where only the sources are there, as in tests, there is no file for a thread to run. */
  static canStart(name: string): boolean {
    return existsSync(fileOf(name));
  }

  /** @param moved what of the data goes over to the thread, and is not copied */
  constructor(name: string, data: unknown, moved: ArrayBuffer[] = []) {
    const worker = new Worker(fileOf(name), {
      workerData: data,
      transferList: moved,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.worker = worker;
    this.answered = new Promise((resolve) => {
      worker.once("message", (answer: Answer | undefined) => {
        resolve(answer);
      });
      worker.once("error", () => {
        resolve(undefined);
      });
      worker.once("exit", () => {
        resolve(undefined);
      });
    });
  }

  /** Undefined when it has failed. Why, only the one says who does it again: errors do not pass threads whole. */
  async answer(): Promise<Answer | undefined> {
    return this.answered;
  }

  /** Ends it, whether its answer is still wanted or not: the process would wait for it. */
  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Nearly all that is parsed stays until the thread ends: with less room it is copied time and again. */
const YOUNG_MB = 96;
