import type { Answer, Later, Reply, Request } from "./answer.js";

/** `10s`, `1m30s`, `250ms`, in milliseconds; undefined when it is no duration. A plain number is milliseconds in Consul. */
export function goDuration(source: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(source)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of source.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g))
    ms += Number(amount) * (UNITS.get(unit ?? "") ?? 0);
  return ms;
}

const UNITS = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

const DEFAULT_WAIT_MS = 300_000;
const MOST_WAIT_MS = 600_000;

interface Blocking {
  /** The index of what is asked for, now. */
  readonly index: () => number;
  readonly answer: () => Reply;
  readonly invalidIndex: () => Answer;
  readonly invalidWait: () => Answer;
}

/** Answers at once, or with `?index=N` once the index is beyond N or the wait is over (with up to a sixteenth more). */
export function blocking(request: Request, what: Blocking): Reply {
  const index = request.query.get("index");
  const wait = request.query.get("wait");
  if (index !== null && !/^\d+$/.test(index)) return what.invalidIndex();
  const waitMs = wait === null ? DEFAULT_WAIT_MS : goDuration(wait);
  if (waitMs === undefined) return what.invalidWait();
  const seen = Number(index ?? 0);
  if (seen === 0 || what.index() > seen) return what.answer();
  const atMost = Math.min(waitMs, MOST_WAIT_MS);
  return {
    ready: () => (what.index() > seen ? what.answer() : undefined),
    atMost: atMost + atMost / 32,
    otherwise: what.answer,
  } satisfies Later;
}
