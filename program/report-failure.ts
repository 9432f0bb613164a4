import { isDiskFull } from "../clients/error-code.js";
import { UserError } from "../cluster/user-error.js";

/**
 * Prints why a run failed on standard error, and returns its exit code: a user's mistake and a full disk as a message alone,
 * a bug with its stack trace.
 */
export function reportFailure(error: unknown): number {
  if (error instanceof UserError) {
    console.error(error.message);
    return error.exitCode;
  }
  console.error(
    isDiskFull(error)
      ? `the disk is full: ${error.message}; make room, and run the same command again`
      : error,
  );
  return 1;
}
