import { parseGroupName } from "./address.js";
import type { Revision } from "./deployed.js";

/** A group that stands, by its name, and the images that its revisions name. */
export interface RunImages {
  readonly name: string;
  readonly images: readonly string[];
}

/** The images of some revisions, each once. */
export const imagesOf = (revisions: readonly Revision[]): string[] => [
  ...new Set(revisions.map(({ image }) => image)),
];

/**
 * Whether a group is the first of its pool to run an image: no group of the pool has a revision of it, and a revision is
 * written only once a gate has passed. A group that comes anew is none, since nobody rolls it.
 * @param standing the groups that stand
 */
export function isCanary(
  group: { readonly name: string; readonly pool: string; readonly image: string },
  standing: readonly RunImages[],
): boolean {
  const ofPool = standing.filter(({ name }) => parseGroupName(name)?.pool === group.pool);
  return (
    ofPool.some(({ name }) => name === group.name) &&
    !ofPool.some(({ images }) => images.includes(group.image))
  );
}
