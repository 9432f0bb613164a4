import type { Progress } from "../../driver/progress.js";
import { formatSeconds } from "../../rollout/log/time.js";

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
    write(JSON.stringify(event.kind === "stopping" ? { ...event, kind: "line" } : event));
  };
}
