import { setMaxListeners } from "node:events";
import type { CheckResult } from "../../rollout/observation/observation.js";
import type { Check } from "../../cluster/gate-settings.js";
import type { CheckedMachine } from "./run-check.js";

export interface PoolChecksDeps {
  /** Tries a check once; a check that fails is a result. */
  readonly run: (check: Check, machine: CheckedMachine, signal: AbortSignal) => Promise<CheckResult>;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/** Each is a request or a process. */
const AT_ONCE = 16;

/**
 * A pool's own checks, each tried for every machine at its interval, beside whatever else goes on. The interval is the
 * pause between two tries.
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
   * Starts the tries that are due, and waits for none. What is known of machines that are not named is forgotten, and so is
   * what is known of one that has another address now.
   * @throws what a try threw: that is a bug
   */
  start(machines: readonly CheckedMachine[]): void {
    if (this.#bug) throw this.#bug.error;
    const wanted = new Map(
      machines.flatMap((machine) =>
        this.checks.map((check) => [JSON.stringify([check.name, machine]), { check, machine }] as const),
      ),
    );
    for (const key of this.#entries.keys()) if (!wanted.has(key)) this.#entries.delete(key);
    for (const [key, each] of wanted)
      if (!this.#entries.has(key)) this.#entries.set(key, { ...each, dueAt: 0 });
    this.#startDue();
  }

  /** The last result of each check on each machine, as far as there is one. */
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

  #startDue(): void {
    if (this.#stopped.signal.aborted) return;
    const due = [...this.#entries.values()]
      .filter(({ isRunning = false, dueAt }) => !isRunning && dueAt <= this.deps.now())
      .sort((one, other) => one.dueAt - other.dueAt);
    for (const entry of due.slice(0, AT_ONCE - this.#running)) {
      const attempt = this.#try(entry).finally(() => this.#tries.delete(attempt));
      this.#tries.add(attempt);
    }
  }

  async #try(entry: Entry): Promise<void> {
    const { check, machine } = entry;
    entry.isRunning = true;
    this.#running++;
    try {
      const result = await this.deps.run(check, machine, this.#stopped.signal);
      // One that was ended here says nothing of the machine.
      if (!this.#stopped.signal.aborted) entry.result = result;
    } catch (error) {
      this.#bug ??= { error };
    }
    entry.isRunning = false;
    entry.dueAt = this.deps.now() + check.intervalSeconds * 1000;
    this.#running--;
    this.#startDue();
  }
}

interface Entry {
  readonly check: Check;
  readonly machine: CheckedMachine;
  isRunning?: boolean;
  /** When it may be tried next. */
  dueAt: number;
  result?: CheckResult;
}
