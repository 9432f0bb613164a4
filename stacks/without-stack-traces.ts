/**
 * Runs something without cdktf's stack traces. For each block that a resource might have, cdktf notes in full where the
 * resource was declared: in a large cluster a third of the time and half of the memory of a synth, which nobody reads, and
 * cdktf has no switch for it. Errors that are thrown keep their traces.
 */
export function withoutStackTraces<T>(body: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Error, "captureStackTrace");
  if (!before) return body();
  Object.defineProperty(Error, "captureStackTrace", { ...before, value: () => undefined });
  try {
    return body();
  } finally {
    Object.defineProperty(Error, "captureStackTrace", before);
  }
}
