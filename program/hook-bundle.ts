import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOOK_FILE } from "../cluster/hooks/variables.js";

/*
 * `scripts/bundle.mjs` writes the hooks of each build into `hooks/DIGEST` beside the program, and `hooks/current` names the last.
 */

/** The hooks of the last build, by their digest; undefined where nothing is built. */
export function currentHooks(bin: string): string | undefined {
  const file = join(bin, "hooks", "current");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * The hooks that the stack of a folder was made with, so that a build in the middle of a roll does not change them; those of the
 * last build where the stack names none, or another machine's.
 * @returns a file
 */
export function hooksOf(stack: string, bin: string): string {
  const entry = (digest: string): string => join(bin, "hooks", digest, "hook.js");
  const named = bundleIn(join(stack, HOOK_FILE));
  return named !== undefined && existsSync(entry(named)) ? entry(named) : entry(currentHooks(bin) ?? "");
}

/** A file that is damaged is refused by the hook. */
function bundleIn(file: string): string | undefined {
  try {
    const { bundle } = JSON.parse(readFileSync(file, "utf8")) as { bundle?: unknown };
    return typeof bundle === "string" && /^[0-9a-f]+$/.test(bundle) ? bundle : undefined;
  } catch {
    return undefined;
  }
}
