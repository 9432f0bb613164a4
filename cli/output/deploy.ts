import { formatSeconds } from "../../rollout/log/time.js";
import type { DeployResult } from "../deploy.js";

/** What became of each group, and last that the spec is to be committed. */
export const formatDeployResult = ({ groups, commit }: DeployResult): string =>
  [
    ...(groups.length === 0 ? ["nothing to do, all of it is as desired"] : []),
    ...groups.map((each) =>
      each.result === "nothing"
        ? `${each.group}: nothing to do, it is as desired`
        : each.result === "applied"
          ? `${each.group}: applied, in ${formatSeconds(each.seconds)}`
          : `${each.group}: rolled, revision ${String(each.revision)}, in ${formatSeconds(each.seconds)} (${each.steps.map(({ step, seconds }) => `${step} ${formatSeconds(seconds)}`).join(", ")})`,
    ),
    ...formatCommit(commit),
  ].join("\n");

export const formatCommit = (commit: string | null): string[] =>
  commit === null ? [] : [`no commit has the spec as it is; commit it: ${commit}`];
