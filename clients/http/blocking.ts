import type { Answer } from "./exchange.js";
import type { Service } from "./service.js";

/** Lets a read wait until something newer than the index is there, or until the time is over. */
export interface Blocking {
  /** Of the answer before. 0 or absent: answers at once. */
  readonly index?: number;
  /** Seconds. @default 30 */
  readonly wait?: number;
  readonly signal?: AbortSignal;
}

/** What was read, and the index at which it was so. */
export interface Indexed<T> {
  readonly value: T;
  /** For the next blocking read. 0 where the agent names none. */
  readonly index: number;
}

const USUAL_WAIT = 30;

/** The part of a call that makes it wait: the agents add up to a sixteenth to the time, so as not to answer all at once. */
export function blockingCall({ index = 0, wait = USUAL_WAIT, signal }: Blocking = {}) {
  const common = signal === undefined ? {} : { signal };
  if (index === 0) return { query: {}, ...common };
  return { query: { index, wait: `${String(wait)}s` }, timeout: wait + wait / 16 + 15, ...common };
}

/**
 * The index for the next read.
 * @param before of the read that this answers; an index that went back (a restored snapshot, another server) starts anew
 */
export function indexed<T>(service: Service, { headers }: Answer<unknown>, value: T, before = 0): Indexed<T> {
  const index = Number(headers[service.indexHeader]);
  const usable = Number.isSafeInteger(index) && index >= before;
  return { value, index: usable ? index : 0 };
}
