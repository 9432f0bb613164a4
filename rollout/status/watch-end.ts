import type { Status } from "./status.js";

/** What a watch waits for. */
export interface Watched {
  /** Whether a pause is what is waited for, too. */
  readonly untilPaused: boolean;
  /** A revision of one group; undefined where the cluster or the group only has to be as desired. */
  readonly revision: { readonly group: string; readonly number: number } | undefined;
  /** When the watch began, in milliseconds since 1970: what ended before is not its concern. */
  readonly since: number;
}

/** How a watch ends now; undefined as long as it goes on. */
export type WatchEnd = { readonly result: "ok" } | { readonly result: "failed"; readonly why: string };

/** Whether a watch ends, and how: it never waits for what only a person can bring about. */
export function watchEnd(status: Status, watched: Watched): WatchEnd | undefined {
  const { phase, message, run } = status;
  const superseded = supersededBy(status, watched);
  if (superseded !== undefined) return fail(superseded);
  // The group at hand is finished first.
  if (phase === "paused" && (run === null || (run.group === null && run.pid !== null)))
    return watched.untilPaused ? { result: "ok" } : fail(`paused: ${message}`);
  if (phase === "failed") return fail(`failed: ${message}`);
  if (run === null && (phase === "invalid spec" || phase === "cancelled"))
    return fail(`${phase}: ${message}`);
  const bad = badEnd(status, watched);
  if (bad !== undefined) return fail(bad);
  return phase === "healthy" && isAtRevision(status, watched) ? { result: "ok" } : undefined;
}

const fail = (why: string): WatchEnd => ({ result: "failed", why });

const isAtRevision = (status: Status, { revision }: Watched): boolean =>
  revision === undefined || revisionOf(status, revision.group) === revision.number;

const revisionOf = ({ groups }: Status, name: string): number | null =>
  groups.find((group) => group.name === name)?.revision ?? null;

function supersededBy(status: Status, { revision }: Watched): string | undefined {
  if (revision === undefined) return undefined;
  const { group, number } = revision;
  const current = revisionOf(status, group);
  if (current === null || current <= number) return undefined;
  return `revision ${String(number)} of ${group} is superseded: it runs revision ${String(current)}`;
}

/** A run that was taken back leaves a whole cluster behind, and did not do what it was started for. */
function badEnd({ run, lastRun }: Status, { since }: Watched): string | undefined {
  if (run !== null || lastRun === null || !lastRun.isEnded || Date.parse(lastRun.lastLineAt) < since)
    return undefined;
  const { result, message } = lastRun;
  if (result === null || result === "ok") return undefined;
  return `the run ended ${result}${message === null ? "" : `: ${message}`}`;
}

/** What is not so yet, for a watch whose time is up. */
export function unmet(status: Status, { revision }: Watched): string {
  const last = `${status.phase}: ${status.message}`;
  if (revision === undefined) return `not healthy, but ${last}`;
  const current = revisionOf(status, revision.group);
  if (current === revision.number) return `at revision ${String(current)}, but ${last}`;
  return `not at revision ${String(revision.number)}, but at ${current === null ? "none" : String(current)}; ${last}`;
}
