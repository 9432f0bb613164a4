import { afterEach, expect, jest, test } from "@jest/globals";
import { terminalProgress } from "../../../cli/output/terminal-progress.js";
import type { Progress } from "../../../driver/progress.js";
import type { RunTasks } from "../../../rehearsal/tasks.js";

const WEB = { group: "web-0", step: "leave" } as const;

afterEach(() => {
  jest.useRealTimers();
});

/** What stands below the step at hand, and what is there once it has ended. */
function terminal(): { show: Progress; below: () => string | undefined; told: string[] } {
  jest.useFakeTimers();
  const told: string[] = [];
  let below: string | undefined;
  const draw: RunTasks = async (tasks) => {
    for (const { title, run } of tasks) {
      try {
        told.push(`${title}: ${await run((line) => (below = line))}`);
      } catch (error) {
        told.push(`${title}: ${(error as Error).message}`);
        throw error;
      }
    }
  };
  const show = terminalProgress({ draw, write: (line) => told.push(line), now: () => Date.now() });
  return { show, told, below: () => below };
}

test("a step is one line, and below it is what it waits for, and for how long", async () => {
  const { show, below, told } = terminal();
  void show({ kind: "started", ...WEB, message: "its work leaves" });
  expect(below()).toBe("its work leaves (0s)");
  void show({ kind: "line", ...WEB, text: "+0s web-0 is asked" });
  expect(below()).toBe("+0s web-0 is asked (0s)");
  void show({ kind: "waiting", ...WEB, condition: "2 of 9 allocations left" });
  jest.advanceTimersByTime(61_000);
  expect(below()).toBe("2 of 9 allocations left (1m)");
  void show({ kind: "line", ...WEB, text: "+61s something else" });
  expect(below()).toBe("2 of 9 allocations left (1m)");
  await show({ kind: "ended", ...WEB, seconds: 61, result: "ok" });
  expect(told).toEqual(["web-0 leave: done"]);
  expect(jest.getTimerCount()).toBe(0);
});

test("a long condition is cut, and nothing in it is obeyed by a terminal", () => {
  const { show, below } = terminal();
  void show({ kind: "started", ...WEB, message: "its work leaves" });
  void show({ kind: "waiting", ...WEB, condition: `\u001b[2J${"x".repeat(200)}` });
  expect(below()).toBe(`\\u{1b}[2J${"x".repeat(110)}… (0s)`);
});

test("after Ctrl-C it says how the run ends, and goes on with what it waits for", async () => {
  const { show, below, told } = terminal();
  void show({ kind: "started", ...WEB, message: "its work leaves" });
  void show({ kind: "stopping", ...WEB, text: "stopping after this step; web-0 stays in flight" });
  expect(below()).toBe("its work leaves (0s)\nstopping after this step; web-0 stays in flight");
  await show({ kind: "ended", ...WEB, seconds: 1, result: "interrupted" });
  expect(told).toEqual(["web-0 leave: interrupted"]);
});

test("what was said is told where the step failed, and warnings always", async () => {
  const { show, told } = terminal();
  void show({ kind: "line", group: "web-0", text: "before" });
  void show({ kind: "started", ...WEB, message: "its work leaves" });
  void show({ kind: "line", ...WEB, text: "warning: nothing was restored" });
  void show({ kind: "line", ...WEB, text: "+1s drain" });
  await show({ kind: "ended", ...WEB, seconds: 1, result: "ok" });
  void show({ kind: "started", ...WEB, message: "its work leaves" });
  void show({ kind: "line", ...WEB, text: "+2s one\ntwo" });
  await show({ kind: "ended", ...WEB, seconds: 1, result: "failed" });
  expect(told).toEqual([
    "  before",
    "web-0 leave: done",
    "  warning: nothing was restored",
    "web-0 leave: failed",
    "  +2s one",
    "  two",
  ]);
});
