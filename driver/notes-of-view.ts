import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../clients/error-code.js";
import { printedBy } from "../clients/terraform/plan.js";
import { jsonOf } from "../clients/terraform/terraform.js";
import { terraformEnvironment } from "../program/terraform-environment.js";
import type { ViewPlan } from "./plan-view.js";
import type { Run } from "./run.js";

const manifestSchema = z.object({
  stacks: z.record(
    z.string(),
    z.object({
      annotations: z.array(z.object({ level: z.string(), message: z.string(), constructPath: z.string() })),
    }),
  ),
});

const LEVELS: Readonly<Record<string, string>> = { "@cdktf/warn": "warning: " };

/** What constructs of the user's note at a view (`Annotations.of(construct).addWarning`), a line each. Errors fail its synth. */
export function annotationsOf(view: string, { folder }: Pick<ViewPlan, "folder">): string[] {
  const file = join(folder, "..", "..", "manifest.json");
  if (!existsSync(file)) return [];
  const { stacks } = manifestSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return (stacks[view]?.annotations ?? []).map(
    ({ level, message, constructPath }) => `${LEVELS[level] ?? ""}${constructPath}: ${message}`,
  );
}

const outputsSchema = z.record(z.string(), z.object({ sensitive: z.boolean(), value: z.unknown() }));

/** The outputs of the user's own that are deployed, a line each; of a sensitive one the name alone. */
export async function outputsOf(
  { env, stop }: Pick<Run, "env" | "stop">,
  { folder }: Pick<ViewPlan, "folder">,
) {
  const options = { cwd: folder, env: terraformEnvironment(env), stop };
  try {
    const outputs = outputsSchema.parse(JSON.parse(jsonOf(await printedBy(["output", "-json"], options))));
    return Object.entries(outputs).map(
      ([name, { sensitive, value }]) => `${name} = ${sensitive ? "<sensitive>" : JSON.stringify(value)}`,
    );
  } catch (error) {
    // All was applied by then.
    return [`warning: outputs are not shown: ${messageOf(error)}`];
  }
}
