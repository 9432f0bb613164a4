import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { findGroups } from "../cluster/find-group.js";
import { gateSettingsOf } from "../cluster/gate-settings.js";
import { hookFileOf } from "../cluster/hooks/hook-file.js";
import { UserError } from "../cluster/user-error.js";
import { standingIn } from "../hooks/leave.js";
import { tryAll } from "../live/checks/run-action.js";
import { connect } from "../live/live-cluster.js";
import { machinesOf } from "../live/local-agents.js";
import { readCluster } from "../program/read-deployed.js";
import { readSpecAsFound } from "../program/read-spec.js";
import { isUnknown, type Answer } from "../rollout/observation/observation.js";
import { wrapLine } from "./output/wrap.js";

const answer = z.strictObject({ name: z.string(), host: z.string(), passed: z.boolean(), value: z.string() });
/** What `--format json` prints. */
export const checksSchema = z.array(answer);

/** Tries the checks of a pool now. @param target the pool, or a group of it, which a check of the whole pool is told */
export async function runChecks(env: Environment, target: string): Promise<readonly Answer[]> {
  const { spec, file, deployed } = await readCluster(env, readSpecAsFound(env));
  const named = findGroups(spec, target);
  const standing = standingIn(hookFileOf({ spec, deployed, specFolder: "." }));
  const groups = standing.filter(({ pool }) => pool === named[0]?.pool);
  const own = groups.find(
    ({ name, hosts }) => hosts.length > 0 && named.some((group) => group.name === name),
  );
  if (!own) throw new UserError(`${target} does not stand, so there is nobody to ask`);
  const cluster = await connect(spec, env, Date.now, machinesOf(spec, runFolderOf(file, spec.name)));
  try {
    const seen = await cluster.observe({ group: own.name, role: own.role, agentsOf: [], checks: [] });
    const { catalog } = seen.consul;
    if (isUnknown(catalog)) throw new UserError(`nobody knows the machines: ${catalog.unknown}`);
    const { checks } = gateSettingsOf(own.pool, spec).ready;
    return checksSchema.parse(await tryAll(checks, groups, own.name, seen, { env }));
  } finally {
    await cluster.close();
  }
}

export function formatChecks(answers: readonly Answer[]): string {
  const passed = answers.filter((answer) => answer.passed).length;
  const lines = answers.map((one) => `${one.passed ? "✔" : "✖"} ${one.host} ${one.name}: ${one.value}`);
  return [...lines.flatMap(wrapLine), `${String(passed)} of ${String(answers.length)} pass`].join("\n");
}
