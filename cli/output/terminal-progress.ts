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
export function terminalProgress(deps: TerminalDeps): Progress {
  const { write } = deps;
  let current: ReturnType<typeof drawStep> | undefined;
  return async (event) => {
    switch (event.kind) {
      case "started":
        current = drawStep(event, deps);
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

/** Begins to draw a step. */
function drawStep(
  { group, step, message }: Extract<ProgressEvent, { kind: "started" }>,
  { draw, now }: Pick<TerminalDeps, "draw" | "now">,
) {
  const lines: string[] = [];
  let condition = { text: message, since: now() };
  let isCondition = false;
  let stopping = "";
  let say: Say = () => undefined;
  const show = (): void => {
    const line = visible(condition.text.split("\n").at(-1) ?? "");
    const short = line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
    const age = `${short} (${formatAge((now() - condition.since) / 1000)})`;
    say(stopping === "" ? age : `${age}\n${stopping}`);
  };
  let settle: (result: keyof typeof WORDS) => void = () => undefined;
  const ended = new Promise<keyof typeof WORDS>((resolve) => {
    settle = resolve;
  });
  const run = async (tell: Say): Promise<string> => {
    say = tell;
    show();
    const result = await ended;
    if (result === "ok") return WORDS.ok;
    throw result === "interrupted" ? new Interruption(result) : new Error(result);
  };
  const drawn = draw([{ title: `${group} ${step}`, run }]);
  const ticking = setInterval(show, EVERY_MS);
  return {
    waits: (text: string): void => {
      isCondition = true;
      condition = { text, since: now() };
      show();
    },
    stops: (text: string): void => {
      stopping = text;
      show();
    },
    says: (text: string): void => {
      lines.push(text);
      if (!isCondition) condition = { text, since: now() };
      show();
    },
    /** @returns what is to be told of what was said */
    end: async (result: keyof typeof WORDS): Promise<readonly string[]> => {
      clearInterval(ticking);
      settle(result);
      // Why a step failed is told by whoever asked for it.
      await drawn.catch(() => undefined);
      return result === "failed" ? lines : lines.filter((line) => line.includes("warning: "));
    },
  };
}

const indented = (text: string): string[] => text.split("\n").map((line) => `  ${line}`);
