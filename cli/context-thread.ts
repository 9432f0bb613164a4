import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Environment } from "../clients/environment.js";
import type { ClusterState } from "../cluster/cluster-state.js";

/** Beside the bundle, and beside the compiled sources. */
const THREAD = fileURLToPath(new URL("./context-worker.js", import.meta.url));

/** Reads spec and state in a thread of its own, while a large plan is parsed. */
export interface ContextThread {
  /** Undefined when it could not be read. Why, only the one says who reads it again: errors do not pass threads whole. */
  readonly context: Promise<ClusterState | undefined>;
  /** Ends it, whether its answer is still wanted or not: the process would wait for it. */
  readonly stop: () => Promise<unknown>;
}

/** Undefined where only the sources are there, as in tests: then there is no file for a thread to run. */
export function startContextThread(env: Environment): ContextThread | undefined {
  if (!existsSync(THREAD)) return undefined;
  const worker = new Worker(THREAD, { workerData: { ...env } });
  const context = new Promise<ClusterState | undefined>((resolve) => {
    worker.once("message", resolve);
    for (const end of ["error", "exit"]) {
      worker.once(end, () => {
        resolve(undefined);
      });
    }
  });
  return { context, stop: () => worker.terminate() };
}
