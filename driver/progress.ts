import type { LogEvent, Step } from "../cluster/run/run-log.js";
import type { Counts } from "../hooks/hook-context.js";

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
  | ({
      readonly kind: "waiting";
      readonly group: string;
      readonly step: Step;
      readonly condition: string;
    } & Partial<Counts>)
  /** Somebody has asked the run to end. */
  | { readonly kind: "stopping"; readonly group: string; readonly step?: Step; readonly text: string }
  /** Something within a step: what a hook or Terraform says. */
  | { readonly kind: "line"; readonly group: string; readonly step?: Step; readonly text: string };

/** Shows a run. On a terminal it draws in place, else it writes lines. A promise is that of the end of a drawing. */
export type Progress = (event: ProgressEvent) => void | Promise<void>;
