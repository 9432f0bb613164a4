import { formatSeconds } from "./format-seconds.js";

/** Tells what happens just now, on one line. */
export type Say = (line: string) => void;

export interface Task {
  readonly title: string;
  /** Returns what came of it, in some words. */
  readonly run: (say: Say) => Promise<string>;
}

/** Runs tasks one after the other; the first that fails ends them all. */
export type RunTasks = (tasks: readonly Task[]) => Promise<void>;

/** Tells of tasks in plain lines, for a log. */
export const inLines =
  (print: (line: string) => void): RunTasks =>
  async (tasks) => {
    for (const { title, run } of tasks) {
      const begun = performance.now();
      print(title);
      const result = await run((line) => {
        print(`  ${line}`);
      });
      print(`  ${result} (${formatSeconds((performance.now() - begun) / 1000)})`);
    }
  };

/** Tells of tasks in place, on a terminal that is standard output. */
export const onTerminal: RunTasks = async (tasks) => {
  const { Listr, PRESET_TIMER } = await import("listr2");
  const list = new Listr(
    tasks.map(({ title, run }) => ({
      title,
      task: async (_, shown): Promise<void> => {
        const result = await run((line) => {
          shown.output = line;
        });
        shown.title = `${title}: ${result}`;
      },
    })),
    {
      registerSignalListeners: false,
      renderer: "default",
      rendererOptions: { timer: PRESET_TIMER, formatOutput: "truncate", showErrorMessage: false },
    },
  );
  await list.run();
};
