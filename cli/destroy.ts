import { realClock } from "../clients/clock.js";
import type { Environment } from "../clients/environment.js";
import { destroyCluster } from "../driver/destroy-cluster.js";
import { inRun } from "../driver/run.js";
import { UserError } from "../cluster/user-error.js";
import { pinSpec, readSpec } from "../program/read-spec.js";
import { refreshDesired } from "../program/run-program.js";
import { confirmName, type Dialogue } from "./ask.js";
import { formatQuestion } from "./output/plan.js";
import { plainProgress } from "./output/progress.js";

export interface DestroyArgs {
  /** The cluster's name once more, where nobody can be asked. */
  readonly confirm?: string;
}

/** Tears a cluster down that is no longer protected. Progress goes to standard error. */
export async function runDestroy(
  given: Environment,
  { confirm: name }: DestroyArgs,
  dialogue: Dialogue,
): Promise<string> {
  await refreshDesired(given, say);
  const source = readSpec(given);
  if (source.isExample)
    throw new UserError(
      "there is no cluster.yaml in this folder, so no cluster of yours can be destroyed; go to its folder, or name it by CLUSTER=FILE",
      2,
    );
  const { spec } = source;
  const run = {
    env: pinSpec(given, source),
    clock: realClock,
    progress: plainProgress(say),
    command: "rollout destroy",
    confirm: (question: Parameters<typeof formatQuestion>[0]) =>
      confirmName(
        {
          name: spec.name,
          given: name,
          question: `${formatQuestion(question)}\n${spec.name} is destroyed with all of its data; nothing is drained before`,
        },
        dialogue,
      ),
  };
  const ended = await inRun(run, destroyCluster);
  return ended.result === "nothing" ? `${spec.name}: nothing is deployed` : `${spec.name}: destroyed`;
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
