import { missing } from "./prepared.js";
import type { Result } from "./prepared.js";

/** The namespaces and the images of the fleet, which `__tests__/fleet/run.sh` makes before it starts jest in them. */
export function findFleet(): Result {
  const { ROLLOUT_FLEET: images, ROLLOUT_FLEET_MISSING: why } = process.env;
  return images === undefined ? missing(why ?? "npm run test:fleet starts the fleet") : { ok: true };
}
