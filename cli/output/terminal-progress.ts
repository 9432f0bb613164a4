import { formatAge } from "../../rollout/log/time.js";
import { Interruption } from "../../cluster/interruption.js";
import type { RunTasks, Say } from "../../rehearsal/tasks.js";
import { visible } from "./visible.js";
import type { Progress, ProgressEvent } from "../../driver/progress.js";
import { WORDS } from "./progress.js";

export interface TerminalDeps {
  readonly draw: RunTasks;
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Draws one line a step, and below it what the step waits for and for how long. What is said within a step is told after it
 * where the step failed; warnings always.
 */
export function terminalProgress({ draw, write, now }: TerminalDeps): Progress {
  let current: DrawnStep | undefined;
  return async (event) => {
    switch (event.kind) {
      case "started":
        current = new DrawnStep(event, draw, now);
        return;
      case "waiting":
        current?.waits(event.condition);
        return;
      case "line":
      case "stopping":
        if (!current) indented(event.text).forEach(write);
        else if (event.kind === "stopping") current.stops(event.text);
        else current.says(event.text);
        return;
      case "ended": {
        const lines = (await current?.end(event.result)) ?? [];
        current = undefined;
        lines.flatMap(indented).forEach(write);
      }
    }
  };
}

/** How often the time goes on where nothing else changes. */
const EVERY_MS = 1000;

/** A line that is longer nobody reads while it changes. */
const LONGEST = 120;

class DrawnStep {
  private readonly lines: string[] = [];
  private readonly drawn: Promise<void>;
  private readonly ticking: NodeJS.Timeout;
  private say: Say = () => undefined;
  private condition: { readonly text: string; readonly since: number };
  private isCondition = false;
  private stopping = "";
  private settle: { readonly done: (result: string) => void; readonly failed: (error: Error) => void } = {
    done: () => undefined,
    failed: () => undefined,
  };

  constructor(
    { group, step, message }: Extract<ProgressEvent, { kind: "started" }>,
    draw: RunTasks,
    private readonly now: () => number,
  ) {
    this.condition = { text: message, since: now() };
    const ended = new Promise<string>((done, failed) => {
      this.settle = { done, failed };
    });
    this.drawn = draw([
      {
        title: `${group} ${step}`,
        run: (say) => {
          this.say = say;
          this.show();
          return ended;
        },
      },
    ]);
    this.ticking = setInterval(() => {
      this.show();
    }, EVERY_MS);
  }

  waits(text: string): void {
    this.isCondition = true;
    this.condition = { text, since: this.now() };
    this.show();
  }

  stops(text: string): void {
    this.stopping = text;
    this.show();
  }

  says(text: string): void {
    this.lines.push(text);
    if (!this.isCondition) this.condition = { text, since: this.now() };
    this.show();
  }

  /** @returns what is to be told of what was said */
  async end(result: keyof typeof WORDS): Promise<readonly string[]> {
    clearInterval(this.ticking);
    if (result === "ok") this.settle.done(WORDS.ok);
    else this.settle.failed(result === "interrupted" ? new Interruption(result) : new Error(result));
    // Why a step failed is told by whoever asked for it.
    await this.drawn.catch(() => undefined);
    return result === "failed" ? this.lines : this.lines.filter((line) => line.includes("warning: "));
  }

  private show(): void {
    const { text, since } = this.condition;
    const line = visible(text.split("\n").at(-1) ?? "");
    const short = line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
    const age = `${short} (${formatAge((this.now() - since) / 1000)})`;
    this.say(this.stopping === "" ? age : `${age}\n${this.stopping}`);
  }
}

const indented = (text: string): string[] => text.split("\n").map((line) => `  ${line}`);
