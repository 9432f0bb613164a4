import type { Environment } from "../clients/environment.js";
import { restartOf } from "../rollout/edit/restart.js";
import { editSpec, elementOf, refuseUneditable } from "../program/edit-spec.js";
import { readSpec } from "../program/read-spec.js";
import { readSituation } from "../program/situation.js";

/** Raises a group's generation in the spec, so that its next roll replaces its machines as they are. */
export async function runRestart(env: Environment, { group }: { readonly group: string }): Promise<string> {
  refuseUneditable(readSpec(env), elementOf("generations", group));
  const situation = await readSituation(env, Date.now());
  const restart = restartOf(situation, group);
  const next = `next: npx rollout deploy ${group}`;
  if (restart.kind === "nothing") return `${restart.message}\n${next}`;
  editSpec(situation.source, new Map([[group, { generation: restart.generation }]]));
  return `${restart.message}\n${situation.source.shown} is changed; ${next}`;
}
