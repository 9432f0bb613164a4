/** How one request to one address ended without a usable answer. */
export type Failure =
  /** Nothing was sent: no connection, or no agreement on certificates. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It was sent, and the whole answer did not come, or not in time: nobody knows whether it was done. */
  | { readonly kind: "broken"; readonly reason: string }
  /** `leaderless`: a token was refused by an agent that has found no leader, which refuses every one then. */
  | { readonly kind: "answer" | "leaderless"; readonly status: number; readonly text: string }
  /** The answer is not read: it leads elsewhere, or has no end. */
  | { readonly kind: "refused"; readonly reason: string };

/**
 * What an agent says while an election runs, or while the server that it forwards to goes away: through followers and client
 * agents with `rpc error: ` in front, once or several times.
 */
const PASSING =
  /No cluster leader|No known Consul servers|\bno servers$|failed to get conn|lead thread didn't get connection|connection refused|stream closed|session shutdown|leadership lost|\bEOF$/i;

/**
 * Whether a request that failed in this way may be sent again.
 * @param repeatable sending it twice does no more than sending it once
 */
export function mayRepeat(failure: Failure, repeatable: boolean): boolean {
  switch (failure.kind) {
    case "unreachable":
    case "leaderless":
      return true;
    case "broken":
      return repeatable;
    case "answer":
      // Turned away before anything was done.
      if (failure.status === 429) return true;
      return repeatable && isPassing(failure.status, failure.text);
    case "refused":
      return false;
  }
}

/** Whether an answer says only that servers change just now: the same question is answered a moment later. */
export function isPassing(status: number, text: string): boolean {
  return (status >= 502 && status <= 504) || (status === 500 && PASSING.test(text));
}

const FIRST_DELAY = 250;
const LONGEST_DELAY = 2000;

/**
 * How long to wait before the next round, in milliseconds: at least half of a time that doubles, so that many clients that
 * failed together do not come back together.
 * @param round counted from 0
 * @param random at least 0 and less than 1
 */
export function delayBefore(round: number, random: number): number {
  const most = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** round);
  return Math.round(most / 2 + (most / 2) * random);
}
