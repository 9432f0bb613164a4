import type { Revision } from "./deployed.js";
import type { Group } from "./groups.js";

/** Every revision that is deployed and, where the template differs from the last one's, the next. */
export function nextRevisions(
  group: Pick<Group, "image" | "hash" | "generation">,
  deployed: readonly Revision[],
  { revisionHistoryLimit, cause }: { readonly revisionHistoryLimit: number; readonly cause: string },
): Revision[] {
  const last = deployed.at(-1);
  if (last?.hash === group.hash) return [...deployed];
  const { image, hash, generation } = group;
  const next = { number: (last?.number ?? 0) + 1, image, hash, generation, cause };
  return [...deployed, next].slice(-revisionHistoryLimit);
}
