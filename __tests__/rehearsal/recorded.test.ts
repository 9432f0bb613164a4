import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { LogEvent } from "../../cluster/run/run-log.js";
import { recordedOf } from "../../rehearsal/recorded.js";
import { MemoryStore } from "../support/memory-store.js";
import { logged as stored } from "../support/run-records.js";

const RUN = "0123abcd";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rehearsal-recorded-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("steps and what Terraform did have their times from the first step on, of this run and view alone", async () => {
  const store = new MemoryStore();
  await stored(store, [
    logged(1, { event: "step-started", run: "other", step: "apply" }),
    logged(5, { event: "step-started", step: "preflight" }),
    logged(6, { event: "step-ended", step: "preflight", seconds: 1, result: "ok" }),
    logged(6, { event: "step-started", step: "apply" }),
    logged(9, { event: "step-ended", step: "apply", seconds: 3, result: "ok" }),
    logged(9, { event: "step-ended", step: "apply", seconds: 3, group: "app-1" }),
  ]);
  applied("apply", [
    ["apply_start", "a", "delete", 6],
    ["apply_start", "b", "create", 6.5],
    ["apply_complete", "a", "delete", 7],
    ["apply_start", "a", "create", 7.2],
    ["apply_errored", "b", "create", 7.3],
    ["apply_complete", "a", "create", 8],
  ]);
  applied("record", [
    ["apply_start", "a", "create", 9],
    ["apply_complete", "a", "create", 9.5],
  ]);
  expect(await recordedOf({ id: RUN, folder, store }, "app-0")).toEqual({
    steps: [
      { step: "preflight", begins: 0, ends: 1 },
      { step: "apply", begins: 1, ends: 4 },
    ],
    applied: [
      { address: "a", action: "delete", step: "apply", begins: 1, ends: 2 },
      { address: "a", action: "create", step: "apply", begins: 2.2, ends: 3 },
      { address: "a", action: "create", step: "record", begins: 4, ends: 4.5 },
    ],
  });
});

const at = (second: number): string => new Date(second * 1000).toISOString();

const logged = (second: number, event: Partial<LogEvent> & Pick<LogEvent, "event">): LogEvent => ({
  at: at(second),
  run: RUN,
  group: "app-0",
  ...event,
});

function applied(step: string, events: readonly (readonly [string, string, string, number])[]): void {
  const lines = events.map(([type, addr, action, second]) =>
    JSON.stringify({ type, "@timestamp": at(second), hook: { resource: { addr }, action } }),
  );
  writeFileSync(join(folder, `${RUN}-app-0-${step}.jsonl`), `${lines.join("\n")}\nno JSON\n`);
}
