import { resolve } from "node:path";
import type { Backend } from "../../cluster/yaml/schema.js";
import { realClock } from "../clock.js";
import { FolderStore } from "./folder-store.js";
import type { RunStore } from "./run-store.js";

/** Where the runs of a cluster are recorded, for all who share its state: beside it. Nothing is asked yet. */
export async function runStoreIn(backend: Backend, specFolder: string): Promise<RunStore> {
  if (backend.type === "s3") {
    const { S3Store } = await import("./s3-store.js");
    return new S3Store(backend, realClock);
  }
  const shown = `${backend.path}.rollout`;
  return new FolderStore(resolve(specFolder, shown), shown);
}
