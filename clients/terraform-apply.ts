import * as z from "zod";
import { UserError } from "../spec/user-error.js";
import { firstError } from "./terraform-error.js";
import { runTerraform, type TerraformOptions } from "./terraform.js";

/** What Terraform says of one resource while it applies a plan. */
export interface ApplyEvent {
  readonly address: string;
  readonly action: "create" | "update" | "delete";
  readonly what: "started" | "done" | "failed";
  /** Milliseconds since 1970, by Terraform's clock. */
  readonly at: number;
}

/**
 * Applies a saved plan, and tells of each resource as it goes.
 * @param plan its file, relative to the folder
 * @throws UserError with what Terraform said, when it failed
 */
export async function applyPlan(
  plan: string,
  options: TerraformOptions,
  onEvent: (event: ApplyEvent) => void,
): Promise<void> {
  const messages: string[] = [];
  const { exitCode, stderr } = await runTerraform(["apply", "-input=false", "-json", plan], {
    ...options,
    onLine: (text) => {
      const line = readLine(text);
      if (line === undefined) return;
      if (line["@level"] === "error") messages.push(messageOf(line));
      const event = eventOf(line);
      if (event !== undefined) onEvent(event);
    },
  });
  if (exitCode === 0) return;
  throw new UserError(`terraform apply failed: ${messages.join("\n") || firstError(stderr)}`);
}

const lineSchema = z.object({
  type: z.string(),
  "@level": z.string(),
  "@message": z.string(),
  "@timestamp": z.string(),
  hook: z.looseObject({}).optional(),
  diagnostic: z.object({ detail: z.string().default("") }).optional(),
});
type Line = z.output<typeof lineSchema>;

const hookSchema = z.object({
  action: z.enum(["create", "update", "delete"]),
  resource: z.object({ addr: z.string() }),
});

const WHAT: ReadonlyMap<string, ApplyEvent["what"]> = new Map([
  ["apply_start", "started"],
  ["apply_complete", "done"],
  ["apply_errored", "failed"],
]);

function eventOf({ type, hook, "@timestamp": time }: Line): ApplyEvent | undefined {
  const what = WHAT.get(type);
  const { success, data } = hookSchema.safeParse(hook);
  if (what === undefined || !success) return undefined;
  return { address: data.resource.addr, action: data.action, what, at: Date.parse(time) };
}

/** What a hook printed stands in the detail of the error that it ended with. */
function messageOf({ "@message": message, diagnostic }: Line): string {
  const detail = diagnostic?.detail.trim() ?? "";
  return detail === "" ? message : `${message}\n${detail}`;
}

/** OpenTofu may print warnings in front, which are no JSON. */
function readLine(text: string): Line | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
