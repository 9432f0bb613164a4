import type { ListrDefaultRendererLogLevels } from "listr2";
import { Interruption } from "../../clients/interruption.js";
import { formatSeconds } from "../rehearse/format-seconds.js";

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

/** Whether somebody watches at a terminal, where what is drawn in place is seen. */
export const isWatched = (): boolean => process.stdout.isTTY && process.stderr.isTTY;

/** Tells of tasks in place, on the terminal that is standard error. Only where {@link isWatched}. */
export const onTerminal: RunTasks = async (tasks) => {
  const { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } = await import("listr2");
  const list = new Listr(
    tasks.map(({ title, run }) => ({
      title,
      task: async (_, shown): Promise<void> => {
        try {
          const result = await run((line) => {
            shown.output = line;
          });
          shown.title = `${title}: ${result}`;
        } catch (error) {
          shown.title = `${title}: ${error instanceof Interruption ? "interrupted" : "failed"}`;
          throw error;
        }
      },
    })),
    {
      registerSignalListeners: false,
      renderer: "default",
      rendererOptions: {
        timer: PRESET_TIMER,
        showErrorMessage: false,
        collapseErrors: false,
        // What it draws on is its standard output.
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({
          useIcons: true,
          processOutput: new ProcessOutput(process.stderr, process.stdout, { leaveEmptyLine: false }),
        }),
      },
    },
  );
  await list.run();
};
