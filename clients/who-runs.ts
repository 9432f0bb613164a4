import { hostname, userInfo } from "node:os";

/** Who runs this: `user@host`. */
export function whoRuns(): string {
  return `${userName()}@${hostname()}`;
}

/** A user without an entry in the system's list has no name, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? `uid-${String(process.getuid?.() ?? "unknown")}`;
  }
}
