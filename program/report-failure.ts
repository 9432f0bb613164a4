import { isDiskFull } from "../clients/error-code.js";
import { UserError } from "../cluster/user-error.js";

/** How cdktf begins, and wraps, what the validations of a stack said: `[view] message` a line. */
const VALIDATION = "Validation failed with the following errors:";

/**
 * Prints why a run failed on standard error, and returns its exit code: a user's mistake and a full disk as a message alone,
 * a bug with its stack trace.
 */
export function reportFailure(error: unknown): number {
  if (error instanceof UserError) {
    console.error(error.message);
    return error.exitCode;
  }
  const full = isDiskFull(error)
    ? `the disk is full: ${error.message}; make room, and run the same command again`
    : undefined;
  console.error(refusalOf(error) ?? full ?? error);
  return 1;
}

/**
 * What the guard said when it failed a synth: the messages alone, without cdktf's hint at how to skip validations.
 * Undefined for any other error.
 */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !error.message.startsWith(VALIDATION)) return undefined;
  return [...error.message.matchAll(/^\s*\[[^\]]*\] (.*)$/gm)].map(([, text]) => text).join("\n");
}
