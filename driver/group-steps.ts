import type { Step } from "../cluster/run/run-log.js";
import type { Counts } from "../hooks/hook-context.js";
import type { Run } from "./run.js";

/** The steps of a group's roll as they go by: told to whoever watches, written into the run's log, and timed. */
export class GroupSteps {
  /** The time of each step that was done, over all batches. */
  readonly done = new Map<Step, number>();
  private readonly begun: number;
  private step: Step | undefined;

  constructor(
    private readonly run: Run,
    /** Or `cluster`, for the view of that name. */
    readonly group: string,
  ) {
    this.begun = run.clock.now();
  }

  /** Does one step. It is told and logged at its start and its end, also where it fails or is interrupted. */
  async during<T>(step: Step, message: string, action: () => Promise<T>): Promise<T> {
    const { run, group } = this;
    run.stop.throwIfAborted();
    await run.prove();
    const begun = run.clock.now();
    this.step = step;
    void run.progress({ kind: "started", group, step, message });
    await run.log({ event: "step-started", group, step });
    const end = async (result: "ok" | "failed" | "interrupted"): Promise<void> => {
      const seconds = Math.max(0, (run.clock.now() - begun) / 1000);
      this.step = undefined;
      await run.progress({ kind: "ended", group, step, seconds, result });
      if (result === "ok") this.done.set(step, (this.done.get(step) ?? 0) + seconds);
      await run.log({ event: "step-ended", group, step, seconds, result });
    };
    let value: T;
    try {
      value = await action();
    } catch (error) {
      // The first failure is the one that counts.
      await end(run.stop.aborted ? "interrupted" : "failed").catch(() => undefined);
      throw error;
    }
    await end("ok");
    return value;
  }

  /** Something within a step: what a hook or Terraform says, or that somebody has asked the run to end. */
  readonly say = (text: string, kind: "line" | "stopping" = "line"): void => {
    void this.run.progress({ kind, group: this.group, ...(this.step ? { step: this.step } : {}), text });
  };

  /** What is waited for goes into the log, too, where `rollout status` finds it. */
  readonly waits = (text: string, counts: Partial<Counts> = {}): void => {
    const { step, group, run } = this;
    if (step === undefined) return;
    const condition = text.startsWith(`${group}: `) ? text.slice(group.length + 2) : text;
    run.note({ event: "waiting", group, step, message: condition });
    void run.progress({ kind: "waiting", group, step, condition, ...counts });
  };

  /** Since the roll began. */
  seconds(): number {
    return Math.max(0, (this.run.clock.now() - this.begun) / 1000);
  }
}
