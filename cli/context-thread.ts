import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Environment } from "../clients/environment.js";
import type { ClusterState } from "../cluster/cluster-state.js";

/** Beside the bundle, and beside the compiled sources. */
const THREAD = fileURLToPath(new URL("./context-worker.js", import.meta.url));

/** Reads spec and state in a thread of its own, while a large plan is parsed. */
export class ContextThread {
  private readonly worker: Worker;
  private readonly answer: Promise<ClusterState | undefined>;

  /** Where only the sources are there, as in tests, there is no file for a thread to run. */
  static canStart(): boolean {
    return existsSync(THREAD);
  }

  constructor(env: Environment) {
    const worker = new Worker(THREAD, { workerData: { ...env } });
    this.worker = worker;
    this.answer = new Promise((resolve) => {
      worker.once("message", resolve);
      for (const end of ["error", "exit"]) {
        worker.once(end, () => {
          resolve(undefined);
        });
      }
    });
  }

  /** Undefined when it could not be read. Why, only the one says who reads it again: errors do not pass threads whole. */
  async context(): Promise<ClusterState | undefined> {
    return this.answer;
  }

  /** Ends it, whether its answer is still wanted or not: the process would wait for it. */
  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}
