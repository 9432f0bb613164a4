import type { Clock } from "../clients/clock.js";
import type { HookContext } from "./hook-context.js";

/**
 * What a hook says while it works, one line each, with the time since it began: every step once, what is waited for
 * whenever it changes. It remembers what was done, for the message of a run that is cut off.
 */
export class Timeline {
  private readonly begun: number;
  private deadlineSeconds: number | undefined;
  private readonly noted = new Set<string>();
  private readonly steps: string[] = [];
  private remaining: readonly string[] = [];
  private condition = "";

  /** @param onCondition told what is waited for whenever that changes, in one line */
  constructor(
    private readonly subject: string,
    private readonly clock: Pick<Clock, "now">,
    private readonly say: (line: string) => void,
    private readonly onCondition: HookContext["onCondition"] = () => undefined,
  ) {
    this.begun = clock.now();
  }

  /** What is still there of the step at hand. */
  get lastRemaining(): readonly string[] {
    return this.remaining;
  }

  /** A remark, once. */
  note(text: string): void {
    if (this.noted.has(text)) return;
    this.noted.add(text);
    this.line(text);
  }

  step(name: string, message: string, deadlineSeconds?: number): void {
    this.deadlineSeconds = deadlineSeconds;
    this.steps.push(name);
    this.remaining = [];
    this.line(`${name}: ${message}`);
    this.waitsFor(message);
  }

  /** Says what is new of what is waited for. */
  waits(remaining: readonly string[]): void {
    const before = new Set(this.remaining);
    this.remaining = remaining;
    const changed = remaining.filter((text) => !before.has(text));
    const shown = changed.slice(0, MOST);
    for (const text of shown) this.line(`  still: ${text}`);
    if (changed.length > shown.length) this.line(`  and ${String(changed.length - shown.length)} more`);
    const [first, ...others] = remaining;
    if (first !== undefined)
      this.waitsFor(
        others.length === 0 ? first : `${first} (and ${String(others.length)} more)`,
        remaining.length,
      );
  }

  /** Tells the condition that is waited for, and says nothing. */
  waitsFor(condition: string, remaining = 0): void {
    if (condition === this.condition) return;
    this.condition = condition;
    this.onCondition(condition, { remaining, deadlineSeconds: this.deadlineSeconds });
  }

  end(text: string): void {
    this.line(`${this.subject} ${text}`);
  }

  /** The message of a run that ends before its time: why, what was done, and that the next run goes on from there. */
  failure(why: string): string {
    const current = this.steps.at(-1);
    const done = this.steps.slice(0, -1);
    const progress =
      current === undefined
        ? ""
        : `\ndone: ${done.length > 0 ? done.join(", ") : "nothing"}; not ended: ${current}; run it again: it goes on from here`;
    return `${why}${progress}`;
  }

  private line(text: string): void {
    const seconds = Math.round((this.clock.now() - this.begun) / 1000);
    this.say(`+${String(seconds)}s ${text}`);
  }
}

/** More lines than this at once nobody reads. */
const MOST = 10;
