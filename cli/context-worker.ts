import { parentPort, workerData } from "node:worker_threads";
import type { Environment } from "../clients/environment.js";
import { readContext } from "./context.js";

/** What runs in a {@link ContextThread}. */
parentPort?.postMessage(await readContext(workerData as Environment).catch(() => undefined));
