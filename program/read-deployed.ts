import { dirname } from "node:path";
import type { Environment } from "../clients/environment.js";
import { parseState } from "../clients/state/parse-state.js";
import { readState } from "../clients/state/read-state.js";
import type { Deployed } from "../cluster/deployed.js";
import { loadSpec } from "../cluster/yaml/load.js";
import { withRecordedSizes } from "../cluster/recorded-sizes.js";
import { withUserData } from "../cluster/yaml/user-data-files.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { filesIn, readBytes, readSpec, type SpecFile } from "./read-spec.js";
import { specAt } from "./spec-at.js";

/**
 * What is desired and what is deployed.
 * @param source a spec that has been read. Default: it is read, with the files that it names
 * @throws UserError when the spec or what is deployed cannot be read
 */
export async function readCluster(
  env: Environment,
  source: SpecFile = readSpec(env),
): Promise<SpecFile & ClusterState> {
  const deployed = await readDeployed(source, env);
  return { ...source, spec: withRecordedSizes(source.spec, deployed), deployed };
}

/**
 * What is deployed: the state, or only when `ROLLOUT_DEPLOYED` says so `git:REV`, the spec at that revision, or
 * `file:PATH`, a spec or a copy of a state.
 */
export async function readDeployed(
  { spec, file, shown, addOwn }: SpecFile,
  env: Environment,
): Promise<Deployed> {
  const named = env["ROLLOUT_DEPLOYED"] ?? "state";
  if (named === "state") return readState(spec, file);
  const [kind, ...rest] = named.split(":");
  const place = rest.join(":");
  if (kind === "git" && place !== "") {
    return baseline(await specAt(file, place, shown), named, addOwn);
  }
  if (kind === "file" && place !== "") return readCopy(spec, place, named, addOwn);
  throw new UserError(`ROLLOUT_DEPLOYED is "${named}"; expected state, git:REVISION or file:PATH`, 2);
}

async function readCopy(
  spec: Spec,
  path: string,
  where: string,
  addOwn: SpecFile["addOwn"],
): Promise<Deployed> {
  const bytes = readBytes(path, path, "name a spec or a copy of a state by ROLLOUT_DEPLOYED=file:PATH");
  const text = new TextDecoder().decode(bytes);
  if (!text.trimStart().startsWith("{") || isDesired(text))
    return baseline(withUserData(loadSpec(bytes, path), path, filesIn(dirname(path))), where, addOwn);
  const deployed = parseState(text, { where, cluster: spec.name, platform: spec.platform });
  return deployed.origin.kind === "state"
    ? { ...deployed, origin: { ...deployed.origin, copy: true } }
    : deployed;
}

/** What a program has written is a spec in JSON, and a state has no pools. */
function isDesired(text: string): boolean {
  try {
    return "pools" in (JSON.parse(text) as object);
  } catch {
    return false;
  }
}

/** cdktf is loaded only where a spec must be synthesized to know what it declares. */
async function baseline(spec: Spec, where: string, addOwn: SpecFile["addOwn"]): Promise<Deployed> {
  const { baselineOf } = await import("../stacks/baseline.js");
  return baselineOf(spec, where, addOwn);
}
