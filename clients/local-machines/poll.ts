import { setTimeout as pause } from "node:timers/promises";

const EVERY_MS = 20;

/** Looks again and again until there is something to see; undefined once the time is over. */
export async function poll<T>(
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T | undefined> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined || Date.now() > end) return seen;
    await pause(EVERY_MS);
  }
}
