import { existsSync, readFileSync } from "node:fs";
import { readApplyLine, type ApplyEvent } from "../clients/terraform/apply-stream.js";
import { LogReader } from "../clients/run-store/run-log.js";
import { STEPS, type LogEvent } from "../cluster/run/run-log.js";
import { applyLog } from "../driver/apply-view.js";
import type { Run } from "../driver/run.js";
import type { Applied, DoneStep, Recorded } from "./phases.js";

/** Reads what a run of the driver has recorded of a view. */
export async function recordedOf(run: Pick<Run, "id" | "folder" | "store">, view: string): Promise<Recorded> {
  const log = await new LogReader(run.store).read();
  const events = log.events.filter((event) => event.run === run.id && event.group === view);
  const origin = Date.parse(events.find(({ event }) => event === "step-started")?.at ?? "");
  return {
    steps: stepsIn(events, origin),
    applied: STEPS.flatMap((step) => {
      const log = applyLog(run, view, step);
      const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
      const events = lines.flatMap((line) => readApplyLine(line) ?? []).filter(isTimed);
      return appliedIn(events, origin).map((done) => ({ ...done, step }));
    }),
  };
}

/** Each step from its beginning to its end. */
function stepsIn(events: readonly LogEvent[], origin: number): DoneStep[] {
  return events.flatMap(({ event, step, at, seconds = 0 }) => {
    if (event !== "step-ended" || step === undefined) return [];
    const ends = (Date.parse(at) - origin) / 1000;
    return [{ step, begins: Math.max(0, ends - seconds), ends }];
  });
}

type Timed = Extract<ApplyEvent, { at: number }>;

const isTimed = (event: ApplyEvent): event is Timed => "at" in event;

/** What began and was done. */
function appliedIn(events: readonly Timed[], origin: number): Omit<Applied, "step">[] {
  const seconds = (at: number): number => (at - origin) / 1000;
  return events
    .filter(({ kind }) => kind === "done")
    .map(({ address, action, at }) => {
      const started = events.findLast(
        (event) =>
          event.kind === "started" && event.address === address && event.action === action && event.at <= at,
      );
      return { address, action, begins: seconds(started?.at ?? at), ends: seconds(at) };
    });
}
