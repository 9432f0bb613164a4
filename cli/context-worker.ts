import { parentPort, workerData } from "node:worker_threads";
import type { Environment } from "../clients/environment.js";
import { readCluster } from "../program/read-deployed.js";

/** What runs in a {@link ContextThread}. */
parentPort?.postMessage(await readCluster(workerData as Environment).catch(() => undefined));
