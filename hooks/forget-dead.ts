import type { NomadClient } from "../clients/nomad/nomad-client.js";
import { isUnknown, type NomadNode, type Observation } from "../rollout/observation/observation.js";
import type { Expected } from "../rollout/ready/expected.js";
import { deadRecords, dyingRecords } from "../rollout/ready/purge.js";
import { UserError } from "../cluster/user-error.js";
import type { HookContext } from "./hook-context.js";
import type { Timeline } from "./timeline.js";

export interface ForgetDeps extends Pick<HookContext, "clock" | "signal"> {
  readonly look: () => Promise<Observation>;
  readonly nomad: Pick<NomadClient, "purge">;
  readonly timeline: Pick<Timeline, "note" | "waits">;
}

const EVERY_MS = 2000;

/** Twice what Nomad needs to see that a machine is gone. */
const PATIENCE_SECONDS = 60;

/**
 * Purges the records of a group's dead machines, for which it waits until they are down. The group is ready without that, so
 * what cannot be purged is only said.
 * @param seen the look in which the group was ready
 */
export async function forgetDead(deps: ForgetDeps, seen: Observation, expected: Expected): Promise<void> {
  const { look, clock, timeline, signal } = deps;
  const begun = clock.now();
  let left: readonly string[] = [];
  for (let observation = seen; ; observation = await look()) {
    signal.throwIfAborted();
    if (!isUnknown(observation.nomad.nodes)) left = await forget(deps, observation, expected);
    if (left.length === 0) return;
    if (clock.now() - begun > PATIENCE_SECONDS * 1000) break;
    timeline.waits(left);
    await clock.pause(EVERY_MS, signal);
  }
  for (const record of left) timeline.note(`warning: ${record}; it stays, so remove it later: rollout gc`);
}

/** The records that are still there. */
async function forget(
  { nomad, timeline }: ForgetDeps,
  observation: Observation,
  expected: Expected,
): Promise<string[]> {
  const left = dyingRecords(observation, expected).map(
    (node) => `${recordOf(node)} is ${node.status}, not down`,
  );
  for (const node of deadRecords(observation, expected)) {
    try {
      await nomad.purge(node.id);
      timeline.note(`${recordOf(node)} is purged`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      left.push(`${recordOf(node)} is not purged: ${error.message}`);
    }
  }
  return left;
}

const recordOf = ({ name, id }: NomadNode): string => `${name}: the record ${id} of its dead machine`;
