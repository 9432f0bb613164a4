import type { Environment } from "../clients/environment.js";
import type { Intent } from "../cluster/run/intent.js";
import { sha256 } from "../cluster/sha256.js";
import { UserError } from "../cluster/user-error.js";
import { departuresIn } from "../driver/approved.js";
import { intentCheckSchema, type IntentCheck } from "../program/check-result.js";
import { intentIn } from "../program/intent.js";
import { visible } from "./output/visible.js";

/** Whether an intent may be rolled now; undefined where the file is none. */
export async function checkIntent(
  env: Environment,
  bytes: Uint8Array,
  file: string,
): Promise<IntentCheck | undefined> {
  const intent = intentIn(bytes, file);
  if (!intent) return undefined;
  const { departures, left } = await departuresIn(intent, env, Date.now());
  const { kind, cluster, expires } = intent;
  const verdict = departures.length === 0 ? "accepted" : "rejected";
  return intentCheckSchema.parse({
    kind,
    verdict,
    cluster,
    groups: left,
    expires,
    departures,
    sha256: sha256(bytes),
  });
}

/** @throws UserError (exit code 2) where the file is none */
export function readIntent(bytes: Uint8Array, file: string): Intent {
  const intent = intentIn(bytes, file);
  if (intent) return intent;
  throw new UserError(`no intent: ${file}; name a file that rollout plan --intent wrote`, 2);
}

/** The same for a terminal and for a job's summary. */
export function formatIntentCheck(check: IntentCheck): string {
  const { verdict, cluster, groups, expires, departures, sha256 } = check;
  const what =
    groups.length === 0 ? "all of it is rolled" : `${groups.join(", ")}, to begin until ${expires}`;
  return [
    `${verdict}: the intent of ${cluster} (${what})`,
    ...departures.map((each) => `otherwise than approved: ${each}`),
    `intent: sha256 ${sha256}`,
  ]
    .map(visible)
    .join("\n");
}
