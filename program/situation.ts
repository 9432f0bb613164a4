import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { readHold } from "../clients/run-store/hold.js";
import { lockHolder } from "../clients/run-store/run-lock.js";
import { LogReader } from "../clients/run-store/run-log.js";
import { leftIn } from "../clients/run-store/take-over.js";
import type { Situation } from "../rollout/status/situation.js";
import { readDeployed } from "./read-deployed.js";
import { EXAMPLE_IS_USED, readSpec, type SpecFile } from "./read-spec.js";
import { runStoreOf } from "./run-store.js";

/** A situation, and where each part of it was read. */
export interface ReadSituation extends Situation {
  readonly source: SpecFile;
  /** Where the runs are recorded. */
  readonly where: string;
  /** What could not be read of the log. */
  readonly notes: readonly string[];
}

/**
 * Reads spec, state and run store; no agent is asked.
 * @param now milliseconds since 1970
 * @throws UserError when one of them cannot be read
 */
export async function readSituation(env: Environment, now: number): Promise<ReadSituation> {
  const source = readSpec(env);
  if (source.isExample) console.error(EXAMPLE_IS_USED);
  const store = await runStoreOf(source);
  const left = leftIn(runFolderOf(source.file, source.spec.name));
  // What the state says of a backend that is wrong says more.
  const deployed = await readDeployed(source, env);
  const [{ events, notes }, hold, holder] = await Promise.all([
    new LogReader(store).read(left.log),
    readHold(store),
    lockHolder(store),
  ]);
  return {
    source,
    where: store.where,
    spec: source.spec,
    deployed,
    hold: hold ?? left.hold,
    run: holder,
    events,
    notes,
    at: now,
  };
}
