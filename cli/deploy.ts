import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder.js";
import { readHold } from "../clients/run-folder/hold.js";
import { findGroup } from "../spec/find-group.js";
import { inFlightOf } from "../spec/pending.js";
import { UserError } from "../spec/user-error.js";
import { askOnTerminal, confirmBy } from "./deploy/confirm.js";
import { deployGroup } from "./deploy/deploy-group.js";
import { groupResultSchema } from "./deploy/deploy-result.js";
import { formatSeconds, jsonProgress, plainProgress } from "./deploy/progress.js";
import { inRun } from "./deploy/run.js";
import { realClock } from "./hook/clock.js";
import { readDeployed } from "./read-deployed.js";
import { readSpec } from "./read-spec.js";

/** What `rollout deploy --format json` prints. */
export const deployResultSchema = z.strictObject({
  cluster: z.string(),
  groups: z.array(z.object({ group: z.string() }).and(groupResultSchema)),
});

export type DeployResult = z.output<typeof deployResultSchema>;

export interface DeployArgs {
  readonly group: string;
  readonly yes: boolean;
  readonly confirm: readonly string[];
  readonly format: "text" | "json";
}

/**
 * Rolls a group, or goes on with it where an earlier run was cut off. Progress goes to standard error.
 * @throws UserError saying what to do next
 */
export async function runDeploy(env: Environment, args: DeployArgs): Promise<DeployResult> {
  const { spec, file } = readSpec(env);
  findGroup(spec, args.group);
  await refuseHeld(env, args.group, runFolderOf(file, spec.name));
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const confirm = confirmBy({
    yes: args.yes,
    confirmed: args.confirm,
    ask: process.stdin.isTTY ? askOnTerminal : undefined,
    show: args.format === "json" ? () => undefined : say,
  });
  const progress = args.format === "json" ? jsonProgress(say) : plainProgress(say);
  const command = `rollout deploy ${args.group}`;
  const result = await inRun({ env, clock: realClock, progress, confirm, command }, (run) =>
    deployGroup(run, { group: args.group }),
  );
  return { cluster: spec.name, groups: [{ group: args.group, ...result }] };
}

/** A pause or a cancel holds what is to begin; what is in flight is finished. */
async function refuseHeld(env: Environment, group: string, folder: string): Promise<void> {
  const hold = readHold(folder);
  if (!hold) return;
  const source = readSpec(env);
  const inFlight = inFlightOf(source.spec, await readDeployed(source, env));
  if (inFlight.some((each) => each.group === group)) return;
  const why = hold.reason === undefined ? "" : `, "${hold.reason}"`;
  throw new UserError(
    `${hold.kind === "pause" ? "paused" : "cancelled"} since ${hold.since} by ${hold.by}${why}; go on with: rollout resume`,
  );
}

/** What became of each group. */
export const formatDeployResult = ({ groups }: DeployResult): string =>
  groups
    .map((each) =>
      each.result === "nothing"
        ? `${each.group}: nothing to do, it is as desired`
        : `${each.group}: rolled, revision ${String(each.revision)}, in ${formatSeconds(each.seconds)} (${each.steps.map(({ step, seconds }) => `${step} ${formatSeconds(seconds)}`).join(", ")})`,
    )
    .join("\n");
