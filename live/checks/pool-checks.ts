import { setMaxListeners } from "node:events";
import type { Answer, CheckResult } from "../../rollout/observation/observation.js";
import type { Clock } from "../../clients/clock.js";
import type { Check } from "../../cluster/gate-settings.js";
import type { Subject } from "./subject.js";

export interface PoolChecksDeps extends Clock {
  /** Tries a check once; a check that fails is a result. */
  readonly run: (check: Check, subject: Subject, signal: AbortSignal) => Promise<Answer>;
  /** How many times as fast as real time the clock is: a try takes as long as it takes. Default: 1. */
  readonly speed?: number;
}

/** Each is a request or a process. */
export const AT_ONCE = 16;

/**
 * A pool's own checks, each tried for all that it is about at its interval, beside whatever else goes on. The interval is
 * the pause between two tries.
 */
export class PoolChecks {
  readonly #entries = new Map<string, Entry>();
  readonly #stopped = new AbortController();
  #running = 0;
  #bug: { readonly error: unknown } | undefined;

  constructor(
    private readonly checks: readonly Check[],
    private readonly deps: PoolChecksDeps,
  ) {
    // Each try that runs listens to it.
    setMaxListeners(0, this.#stopped.signal);
  }

  /**
   * Starts the tries that are due, and waits for none. What is known of subjects that are not named is forgotten, and so is
   * what is known of a machine that has another address now.
   * @throws what a try threw: that is a bug
   */
  start(subjectsOf: (check: Check) => readonly Subject[]): void {
    if (this.#bug) throw this.#bug.error;
    const wanted = new Map(
      this.checks.flatMap((check) =>
        subjectsOf(check).map(
          (subject) => [JSON.stringify([check.name, subject]), { check, subject }] as const,
        ),
      ),
    );
    for (const key of this.#entries.keys()) if (!wanted.has(key)) this.#entries.delete(key);
    for (const [key, each] of wanted)
      if (!this.#entries.has(key))
        this.#entries.set(key, { ...each, isRunning: false, begunAt: 0, dueAt: 0 });
    this.#startDue();
  }

  /** The last result of each check on each subject, as far as there is one. */
  get results(): readonly CheckResult[] {
    const now = this.deps.now();
    return [...this.#entries.values()].flatMap(({ check, result, isRunning, begunAt, dueAt }) => {
      // One that is due and does not run waits for its turn, and is none the worse for it.
      const next = isRunning ? begunAt : Math.max(dueAt, now);
      const until = next + check.timeoutSeconds * 1000 * (this.deps.speed ?? 1);
      return result ? [{ ...result, until }] : [];
    });
  }

  /** How long two tries in a row may take, of whichever takes longest. */
  get twiceSeconds(): number {
    return Math.max(
      0,
      ...this.checks.map(({ intervalSeconds, timeoutSeconds }) => 2 * (intervalSeconds + timeoutSeconds)),
    );
  }

  /** Ends the tries that run, and waits for that. Nothing is started any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  /** Once no try runs. */
  async settled(): Promise<void> {
    for (;;) {
      const running = [...this.#tries];
      if (running.length === 0) return;
      await Promise.all(running);
    }
  }

  readonly #tries = new Set<Promise<void>>();

  #startDue(): void {
    if (this.#stopped.signal.aborted) return;
    const due = [...this.#entries.values()]
      .filter(({ isRunning, dueAt }) => !isRunning && dueAt <= this.deps.now())
      .sort((one, other) => one.dueAt - other.dueAt);
    for (const entry of due.slice(0, AT_ONCE - this.#running)) {
      const attempt = this.#try(entry).finally(() => this.#tries.delete(attempt));
      this.#tries.add(attempt);
    }
  }

  async #try(entry: Entry): Promise<void> {
    const { check, subject, result: before } = entry;
    const at = this.deps.now();
    entry.isRunning = true;
    entry.begunAt = at;
    this.#running++;
    try {
      const result = await this.deps.run(check, subject, this.#stopped.signal);
      // One that was ended here says nothing of it.
      if (!this.#stopped.signal.aborted)
        entry.result = { ...result, at, ...(result.passed && before?.passed ? { passedAt: before.at } : {}) };
    } catch (error) {
      this.#bug ??= { error };
    }
    entry.isRunning = false;
    const interval = check.intervalSeconds * 1000;
    entry.dueAt = this.deps.now() + interval;
    this.#running--;
    this.#startDue();
    // By itself: whoever looks at the results may be long about other things.
    this.deps.pause(interval, this.#stopped.signal).then(
      () => {
        this.#startDue();
      },
      () => undefined,
    );
  }
}

interface Entry {
  readonly check: Check;
  readonly subject: Subject;
  isRunning: boolean;
  /** When its last try began. */
  begunAt: number;
  /** When it may be tried next. */
  dueAt: number;
  result?: Omit<CheckResult, "until">;
}
