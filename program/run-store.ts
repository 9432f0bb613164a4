import { dirname, isAbsolute, join } from "node:path";
import { realClock } from "../clients/clock.js";
import { FolderStore } from "../clients/run-store/folder-store.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import type { SpecFile } from "./read-spec.js";

/** Where the runs of a cluster are recorded, for all who share its state: beside it. Nothing is asked yet. */
export async function runStoreOf({ spec, file }: Pick<SpecFile, "spec" | "file">): Promise<RunStore> {
  const { backend } = spec;
  if (backend.type === "s3") {
    const { S3Store } = await import("../clients/run-store/s3-store.js");
    return new S3Store(backend, realClock);
  }
  const shown = `${backend.path}.rollout`;
  return new FolderStore(isAbsolute(shown) ? shown : join(dirname(file), shown), shown);
}
