import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { commitAt } from "../clients/git.js";
import { toolOf } from "../clients/terraform/find.js";
import { terraformVersion } from "../clients/terraform/terraform.js";
import { isForReview } from "../cluster/deployed.js";
import { findGroup } from "../cluster/find-group.js";
import { intentSchema, type GroupIntent, type Intent } from "../cluster/run/intent.js";
import { sha256 } from "../cluster/sha256.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { gateIntent, intentOf, type IntentFacts } from "../rollout/roll/intent.js";
import { unfinishedNames } from "../rollout/roll/may-roll.js";
import type { Situation } from "../rollout/status/situation.js";
import { currentHooks } from "./hook-bundle.js";
import { bundledProgram } from "./program.js";
import { readSituation } from "./situation.js";

/** The intent that a file is; undefined where its content says that it is none. @throws UserError (exit code 2) where it is damaged */
export function intentIn(bytes: Uint8Array, file: string): Intent | undefined {
  const text = new TextDecoder().decode(bytes);
  try {
    const value: unknown = JSON.parse(text);
    if (z.object({ kind: z.literal("rollout-intent") }).safeParse(value).success)
      return intentSchema.parse(value);
  } catch (error) {
    if (!(error instanceof z.ZodError)) return undefined;
    const where = error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(", ");
    throw new UserError(
      `no intent of this version: ${file}: ${where}; write it anew with rollout plan --intent ${file}`,
      2,
    );
  }
  return undefined;
}

/**
 * What an intent for some groups would be now, and the situation that it is made from. No agent is asked.
 * @param now milliseconds since 1970
 */
export async function intentNow(
  env: Environment,
  asked: Pick<IntentFacts, "asked" | "groups" | "expires">,
  now: number,
): Promise<{ readonly intent: Intent; readonly situation: Situation }> {
  const situation = await readSituation(env, now);
  const { spec, deployed, source } = situation;
  if (isForReview(deployed.origin))
    throw new UserError("ROLLOUT_DEPLOYED is set: an intent is made from the state alone; unset it", 2);
  const { binary, version } = await terraformVersion({ cwd: process.cwd(), env });
  const intent = intentOf(situation, {
    ...asked,
    begun: unfinishedNames(situation),
    commit: (await commitAt(source.file, "HEAD")) ?? null,
    program: programDigest(),
    terraform: { tool: toolOf(binary), version },
    providers: providersOf(spec),
    digestOf,
  });
  return { intent, situation };
}

/** How a group would leave and become ready by a spec, in the terms of an intent. */
export const gateNow = (spec: Spec, name: string): Pick<GroupIntent, "gate" | "files"> =>
  gateIntent(findGroup(spec, name), spec, digestOf);

/** Each chunk of a bundle is named by its content, so what names all others tells them apart; hooks have a digest of their own. */
const programDigest = (): string => {
  const program = bundledProgram();
  return sha256([readFileSync(program, "utf8"), currentHooks(dirname(program)) ?? ""].join("\n"));
};

const bindings = z.object({ cdktf: z.object({ provider: z.object({ version: z.string() }) }) });

function providersOf(spec: Spec): Intent["providers"] {
  if (spec.platform !== "aws") return {};
  const load = createRequire(import.meta.url);
  const boundIn = (name: string): string =>
    bindings.parse(load(`@cdktf/provider-${name}/package.json`)).cdktf.provider.version;
  return { aws: spec.aws.providerVersion ?? boundIn("aws"), null: boundIn("null") };
}

/** From the folder of whoever runs this; hooks run elsewhere, so commands name their files by whole paths. A program on the PATH is none of them. */
function digestOf(word: string): string | undefined {
  try {
    return statSync(word).isFile() ? sha256(readFileSync(word)) : undefined;
  } catch {
    return undefined;
  }
}
