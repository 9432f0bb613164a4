import { dirname } from "node:path";
import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { readGoal } from "../clients/run-store/goal.js";
import { readHold } from "../clients/run-store/hold.js";
import { OPEN_STEPS } from "../clients/run-store/open-steps.js";
import { lockHolder } from "../clients/run-store/run-lock.js";
import { LogReader } from "../clients/run-store/run-log.js";
import { runStoreIn } from "../clients/run-store/store-in.js";
import { leftIn } from "../clients/run-store/take-over.js";
import { readRuns } from "../rollout/log/read-runs.js";
import type { Situation } from "../rollout/status/situation.js";
import { withRecordedSizes } from "../cluster/recorded-sizes.js";
import { readDeployed } from "./read-deployed.js";
import { EXAMPLE_IS_USED, readSpecAsFound, type SpecFile } from "./read-spec.js";
import { stateLockOf } from "./run-store.js";

/** A situation, and where each part of it was read. */
export interface ReadSituation extends Situation {
  readonly source: SpecFile;
  /** Where the runs are recorded. */
  readonly where: string;
  /** What could not be read of the log, and of files of user data. */
  readonly notes: readonly string[];
}

/**
 * Reads spec, state and run store; no agent is asked.
 * @param now milliseconds since 1970
 * @param given a spec that has been read. Default: what there is, of which `notes` say what is wrong with its files
 * @throws UserError when one of them cannot be read
 */
export async function readSituation(env: Environment, now: number, given?: SpecFile): Promise<ReadSituation> {
  const { wrong, ...source } = given ? { ...given, wrong: undefined } : readSpecAsFound(env);
  if (source.isExample) console.error(EXAMPLE_IS_USED);
  const store = await runStoreIn(source.spec.backend, dirname(source.file));
  const left = leftIn(runFolderOf(source.file, source.spec.name));
  // What the state says of a backend that is wrong says more.
  const deployed = await readDeployed(source, env);
  const [{ events, notes }, hold, goal, holder, owed = []] = await Promise.all([
    new LogReader(store).read(left.log),
    readHold(store, now),
    readGoal(store),
    lockHolder(store),
    OPEN_STEPS.read(store),
  ]);
  const found = holder ? undefined : await stateLockOf(source);
  // A run that was cut off leaves S3's lock, which nobody can tell from one that is held: its own command comes next, and says so.
  const maker =
    found && readRuns(events).findLast(({ since }) => Date.parse(since) <= Date.parse(found.Created));
  const isLeft = source.spec.backend.type === "s3" && maker !== undefined && maker.end === undefined;
  const lock = isLeft ? undefined : found;
  const { Who: by = "", Created = "" } = lock ?? {};
  return {
    source,
    where: store.where,
    spec: withRecordedSizes(source.spec, deployed),
    deployed,
    hold: hold ?? left.hold,
    goal,
    run:
      lock?.Operation === "OperationTypeApply"
        ? { by, since: new Date(Created).toISOString(), pid: undefined, command: "Terraform alone" }
        : holder,
    owed,
    events,
    notes: [...(wrong === undefined ? [] : [wrong]), ...notes],
    at: now,
  };
}
