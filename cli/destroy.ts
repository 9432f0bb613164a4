import { realClock } from "../clients/clock.js";
import type { Environment } from "../clients/environment.js";
import { destroyCluster } from "../driver/destroy-cluster.js";
import { inRun } from "../driver/run.js";
import { pinSpec, readSpec } from "../program/read-spec.js";
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
  const source = readSpec(given);
  const { spec } = source;
  const run = {
    env: pinSpec(given, source),
    clock: realClock,
    progress: plainProgress((line) => {
      process.stderr.write(`${line}\n`);
    }),
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
  return ended.result === "nothing"
    ? `${spec.name}: nothing is deployed`
    : `${spec.name}: destroyed; what has run stays in rollout history`;
}
