import { formatSeconds } from "../../rollout/log/time.js";
import type { DeployResult } from "../deploy.js";

/** What became of each group. */
export const formatDeployResult = ({ groups }: DeployResult): string =>
  groups.length === 0
    ? "nothing to do, all of it is as desired"
    : groups
        .map((each) =>
          each.result === "nothing"
            ? `${each.group}: nothing to do, it is as desired`
            : each.result === "applied"
              ? `${each.group}: applied, in ${formatSeconds(each.seconds)}`
              : `${each.group}: rolled, revision ${String(each.revision)}, in ${formatSeconds(each.seconds)} (${each.steps.map(({ step, seconds }) => `${step} ${formatSeconds(seconds)}`).join(", ")})`,
        )
        .join("\n");
