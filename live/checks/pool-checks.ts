import { setMaxListeners } from "node:events";
import type { Answer, CheckResult } from "../../rollout/observation/observation.js";
import type { Clock } from "../../clients/clock.js";
import type { Check } from "../../cluster/gate-settings.js";
import { AT_ONCE } from "./run-action.js";
import type { Subject } from "./subject.js";

export interface PoolChecksDeps extends Clock {
  /** Tries a check once; a check that fails is a result. */
  readonly run: (check: Check, subject: Subject, signal: AbortSignal) => Promise<Answer>;
  /** How many times as fast as real time the clock is: a try takes as long as it takes. Default: 1. */
  readonly speed?: number;
}

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
      if (!this.#entries.has(key)) this.#entries.set(key, { ...each, dueAt: 0 });
    // A clock that was set back would let what is known be young for long, and ask nobody meanwhile.
    for (const entry of this.#entries.values())
      if (entry.result && entry.result.at > this.deps.now()) {
        delete entry.result;
        entry.dueAt = 0;
      }
    this.#startDue();
  }

  /** The last result of each check on each subject, as far as there is one. */
  get results(): readonly CheckResult[] {
    return [...this.#entries.values()].flatMap(({ result }) => result ?? []);
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

  readonly #startDue = (): void => {
    if (this.#stopped.signal.aborted) return;
    const due = [...this.#entries.values()]
      .filter(({ isRunning = false, dueAt }) => !isRunning && dueAt <= this.deps.now())
      .sort((one, other) => one.dueAt - other.dueAt);
    for (const entry of due.slice(0, AT_ONCE - this.#running)) {
      const attempt = this.#try(entry).finally(() => this.#tries.delete(attempt));
      this.#tries.add(attempt);
    }
  };

  async #try(entry: Entry): Promise<void> {
    const { check, subject, result: before } = entry;
    const at = this.deps.now();
    const interval = check.intervalSeconds * 1000;
    entry.isRunning = true;
    this.#running++;
    try {
      const result = await this.deps.run(check, subject, this.#stopped.signal);
      // One that was ended here says nothing of it.
      if (!this.#stopped.signal.aborted) {
        const rounds = Math.ceil(this.#entries.size / AT_ONCE);
        // All of them share the places.
        const longest = Math.max(...this.checks.map(({ timeoutSeconds }) => timeoutSeconds));
        const seconds = check.timeoutSeconds + (rounds - 1) * longest;
        const until = this.deps.now() + interval + seconds * 1000 * (this.deps.speed ?? 1);
        const passedAt = result.passed && before?.passed ? { passedAt: before.at } : {};
        entry.result = { ...result, at, until, ...passedAt };
      }
    } catch (error) {
      this.#bug ??= { error };
    }
    entry.isRunning = false;
    entry.dueAt = this.deps.now() + interval;
    this.#running--;
    this.#startDue();
    // By itself: whoever looks at the results may be long about other things.
    this.deps.pause(interval, this.#stopped.signal).then(this.#startDue, () => undefined);
  }
}

interface Entry {
  readonly check: Check;
  readonly subject: Subject;
  isRunning?: boolean;
  /** When it may be tried next. */
  dueAt: number;
  result?: CheckResult;
}
