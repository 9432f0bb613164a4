import { parseAddress } from "./address.js";
import type { Deployed } from "./deployed.js";
import type { LocalSettings, Spec } from "./yaml/schema.js";

/** What runs on the machines of a cluster's own, with every default; nothing where they are no local ones. */
export function localSettingsOf(spec: Spec): LocalSettings {
  const settings = spec.platform === "local" ? spec.local : undefined;
  return settings ?? { agents: "none", speed: 1 };
}

/** Whether Terraform starts and stops agents: where the spec wants some, and where it has started some. */
export const startsAgents = (spec: Spec, { addresses }: Pick<Deployed, "addresses">): boolean =>
  spec.platform === "local" &&
  (localSettingsOf(spec).agents !== "none" ||
    [...addresses].some((address) => parseAddress(address)?.kind === "stop-agents"));
