import type { LogEvent, Step } from "../cluster/run/run-log.js";

/** What somebody who watches a run is told. */
export type ProgressEvent =
  | { readonly kind: "started"; readonly group: string; readonly step: Step; readonly message: string }
  | {
      readonly kind: "ended";
      readonly group: string;
      readonly step: Step;
      readonly seconds: number;
      readonly result: NonNullable<LogEvent["result"]>;
    }
  /** What a step waits for, whenever that changes. */
  | { readonly kind: "waiting"; readonly group: string; readonly step: Step; readonly condition: string }
  /** Somebody has asked the run to end. */
  | { readonly kind: "stopping"; readonly group: string; readonly step?: Step; readonly text: string }
  /** Something within a step: what a hook or Terraform says. */
  | { readonly kind: "line"; readonly group: string; readonly step?: Step; readonly text: string };

/** Shows a run. On a terminal it draws in place, else it writes lines. A promise is that of the end of a drawing. */
export type Progress = (event: ProgressEvent) => void | Promise<void>;

export const WORDS = { ok: "done", failed: "failed", undone: "undone", interrupted: "interrupted" } as const;

/** One line a start and an end of a step, with its time; what is said within a step is further in. */
export function plainProgress(write: (line: string) => void): Progress {
  return (event) => {
    switch (event.kind) {
      case "started":
        write(`${event.group} ${event.step}: ${event.message}`);
        return;
      case "ended":
        write(`${event.group} ${event.step}: ${WORDS[event.result]} after ${formatSeconds(event.seconds)}`);
        return;
      case "line":
      case "stopping":
        for (const line of event.text.split("\n")) write(`  ${line}`);
        return;
      case "waiting":
      // It is among the lines that are said.
    }
  };
}

/** One JSON object a line. */
export function jsonProgress(write: (line: string) => void): Progress {
  return (event) => {
    if (event.kind !== "waiting")
      write(JSON.stringify(event.kind === "stopping" ? { ...event, kind: "line" } : event));
  };
}

/** `8s`, `2m05s`, `1h02m` */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number): string => String(number).padStart(2, "0");
  if (whole < 60) return `${String(whole)}s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))}m${two(whole % 60)}s`;
  return `${String(Math.floor(whole / 3600))}h${two(Math.floor((whole % 3600) / 60))}m`;
}
