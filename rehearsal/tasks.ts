/** Tells what happens just now, on one line. */
export type Say = (line: string) => void;

export interface Task {
  readonly title: string;
  /** Returns what came of it, in some words. */
  readonly run: (say: Say) => Promise<string>;
}

/** Runs tasks one after the other; the first that fails ends them all. */
export type RunTasks = (tasks: readonly Task[]) => Promise<void>;
