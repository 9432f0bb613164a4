import { expect, test } from "@jest/globals";
import { Timeline } from "../../hooks/timeline.js";

function timeline(): { lines: string[]; at: (ms: number) => void; it: Timeline } {
  const lines: string[] = [];
  let now = 1000;
  const it = new Timeline("broker-0", { now: () => now }, (line) => lines.push(line));
  return { lines, it, at: (ms) => void (now = 1000 + ms) };
}

test("says each step once, what is waited for when it changes, and remarks once", () => {
  const { lines, it, at } = timeline();
  it.note("broker-0-1: down in Nomad");
  it.step("drain", "broker-0: broker-0-0 drained");
  at(2000);
  it.step("wait-drained", "waiting until no work is left");
  it.waits(["web runs", "cache runs"]);
  at(4000);
  it.note("broker-0-1: down in Nomad");
  it.waits(["web runs", "cache runs"]);
  at(62_400);
  it.waits(["web runs", "queue runs"]);
  it.end("has left");
  expect(lines).toEqual([
    "+0s broker-0-1: down in Nomad",
    "+0s drain: broker-0: broker-0-0 drained",
    "+2s wait-drained: waiting until no work is left",
    "+2s   still: web runs",
    "+2s   still: cache runs",
    "+62s   still: queue runs",
    "+62s broker-0 has left",
  ]);
  expect(it.lastRemaining).toEqual(["web runs", "queue runs"]);
});

test("counts what is more than a reader takes in", () => {
  const { lines, it } = timeline();
  it.waits(Array.from({ length: 14 }, (_, index) => `allocation ${String(index)}`));
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toBe("+0s   and 4 more");
});

test("a run that ends before its time says what was done and what was not", () => {
  const { it } = timeline();
  expect(it.failure("interrupted")).toBe("interrupted");
  it.step("mark-ineligible", "…");
  expect(it.failure("interrupted")).toBe(
    "interrupted\ndone: nothing; not ended: mark-ineligible; run it again: it goes on from here",
  );
  it.step("drain", "…");
  it.step("wait-drained", "…");
  expect(it.failure("interrupted")).toBe(
    "interrupted\ndone: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here",
  );
});

test("tells what is waited for whenever that changes, and not at each look", () => {
  const told: string[] = [];
  const it = new Timeline(
    "broker-0",
    { now: () => 0 },
    () => undefined,
    (condition) => told.push(condition),
  );
  it.step("drain", "broker-0 drained");
  it.step("wait-drained", "waiting until no work is left");
  it.waits(["web runs", "cache runs"]);
  it.waits(["web runs", "cache runs"]);
  it.waits([]);
  it.waits(["cache runs"]);
  it.waitsFor("all is well");
  it.waitsFor("all is well");
  expect(told).toEqual([
    "broker-0 drained",
    "waiting until no work is left",
    "web runs (and 1 more)",
    "cache runs",
    "all is well",
  ]);
});
