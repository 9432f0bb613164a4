import { dirname, resolve } from "node:path";
import { realClock } from "../clients/clock.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import { runStoreIn } from "../clients/run-store/store-in.js";
import { takeOver } from "../clients/run-store/take-over.js";
import { localLockOf, stateLockIn } from "../clients/state/state-lock.js";
import type { SpecFile } from "./read-spec.js";

/** Who holds the lock of the state itself, as far as that can be read: who applies with Terraform alone writes nothing else. */
export async function stateLockOf({ spec, file }: Pick<SpecFile, "spec" | "file">) {
  const { backend } = spec;
  if (backend.type === "local") return localLockOf(resolve(dirname(file), backend.path));
  const { S3Store } = await import("../clients/run-store/s3-store.js");
  const note = new S3Store(backend, realClock, "").read(`${backend.key}.tflock`);
  return stateLockIn((await note.catch(() => undefined))?.text);
}

/**
 * The same for a verb that changes something: what earlier versions have left on this computer is part of it from then on.
 * @throws UserError where that cannot be taken over
 */
export async function openRunStore(source: Pick<SpecFile, "spec" | "file">): Promise<RunStore> {
  const store = await runStoreIn(source.spec.backend, dirname(source.file));
  await takeOver(store, runFolderOf(source.file, source.spec.name));
  return store;
}
