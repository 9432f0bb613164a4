import { parseAddress } from "./address.js";
import type { Deployed } from "./deployed.js";
import type { LocalSettings, Spec } from "./yaml/schema.js";

/** What runs on the machines of a cluster's own, with every default; nothing where they are no local ones. */
export function localSettingsOf(spec: Spec): LocalSettings {
  const settings = spec.platform === "local" ? spec.local : undefined;
  return settings ?? { agents: "none", speed: 1 };
}

/** Whether Consul and Nomad run on the machines: on aws always, on the local platform where the spec wants it. */
export const hasAgents = (spec: Spec): boolean =>
  spec.platform === "aws" || localSettingsOf(spec).agents !== "none";

/** Whether Terraform starts and stops agents: where the spec wants some, and where it has started some. */
export const startsAgents = (spec: Spec, { addresses }: Pick<Deployed, "addresses">): boolean =>
  spec.platform === "local" &&
  (hasAgents(spec) || [...addresses].some((address) => parseAddress(address)?.kind === "stop-agents"));
