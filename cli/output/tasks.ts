import type { ListrDefaultRendererLogLevels } from "listr2";
import { Interruption } from "../../cluster/interruption.js";
import type { RunTasks } from "../../rehearsal/tasks.js";
import { tenths } from "./tenths.js";

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
      print(`  ${result} (${tenths((performance.now() - begun) / 1000)})`);
    }
  };

/** Whether somebody watches at a terminal, where what is drawn in place is seen. */
export const isWatched = (): boolean => process.stdout.isTTY && process.stderr.isTTY;

/** Tells of tasks in place, on the terminal that is standard error. Only where {@link isWatched}. */
export const inPlace: RunTasks = async (tasks) => {
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
