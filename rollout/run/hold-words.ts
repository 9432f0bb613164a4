import type { Hold } from "../../cluster/run/hold.js";
import { formatTime } from "../log/time.js";

/** `since 09:12 UTC by ops@build-1, "waiting for the DBA"` */
export function describeHold({ since, by, reason }: Hold, now: number): string {
  const why = reason === undefined ? "" : `, ${JSON.stringify(reason)}`;
  return `since ${formatTime(since, now)} by ${by}${why}`;
}
