import type { Situation } from "../../rollout/status/situation.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Goal } from "../../cluster/run/goal.js";
import type { Hold } from "../../cluster/run/hold.js";
import type { LogEvent } from "../../cluster/run/run-log.js";
import type { Spec } from "../../cluster/yaml/schema.js";

/** 2026-11-21 10:00 UTC, a Saturday. */
export const NOW = Date.UTC(2026, 10, 21, 10);

/** What a test knows of a cluster: nothing of runs and holds, if it says nothing. */
export const situationOf = (spec: Spec, deployed: Deployed, more: Partial<Situation> = {}): Situation => ({
  spec,
  deployed,
  hold: undefined,
  goal: undefined,
  run: undefined,
  events: [],
  at: NOW,
  ...more,
});

/** A time so many minutes before {@link NOW}. */
export const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

export const PAUSE: Hold = {
  kind: "pause",
  since: ago(48),
  by: "ops@build-1",
  reason: "waiting for the DBA",
};

/** An image that the three groups of a pool are to be given. */
export const GOAL: Goal = {
  command: "rollout deploy broker --image ami-0bbb",
  image: "ami-0bbb",
  groups: ["broker-0", "broker-1", "broker-2"],
  by: "ops@build-1",
  since: ago(48),
};

export const CANCEL: Hold = { kind: "cancel", since: ago(48), by: "ops@build-1" };

export const RUN = {
  by: "ops@build-1",
  pid: 4711,
  since: ago(30),
  command: "rollout deploy broker-0",
} as const;

/** Lines of one run, each so many minutes before {@link NOW}. */
export const runOf = (
  ...lines: readonly (readonly [minutes: number, event: LogEvent["event"], more?: Partial<LogEvent>])[]
): LogEvent[] => lines.map(([minutes, event, more]) => ({ at: ago(minutes), run: "run-1", event, ...more }));

/** A run that drains broker-0 and waits. */
export const DRAINING = runOf(
  [30, "run-started", { command: RUN.command, by: RUN.by }],
  [29, "group-started", { group: "broker-0", from: "ami-0aaa", to: "ami-0bbb", revision: 2 }],
  [28, "step-started", { group: "broker-0", step: "preflight" }],
  [28, "step-ended", { group: "broker-0", step: "preflight", seconds: 3 }],
  [6, "step-started", { group: "broker-0", step: "leave" }],
  [1, "waiting", { group: "broker-0", step: "leave", message: "2 of 9 allocations left" }],
);

/** The same, ended by its gate. */
export const GATE_FAILED = [
  ...DRAINING.slice(0, 4),
  ...runOf(
    [20, "step-started", { group: "broker-0", step: "gate" }],
    [
      13,
      "group-ended",
      { group: "broker-0", step: "gate", result: "failed", message: "not ready within 15m" },
    ],
    [12, "run-ended", { result: "failed" }],
  ),
];
