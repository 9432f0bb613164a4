import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { appendLog, logFile, readLog } from "../../../clients/run-folder/log.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";

const STARTED: LogEvent = {
  at: "2026-11-21T09:12:00.000Z",
  run: "r1",
  event: "group-started",
  group: "broker-1",
  from: "ami-0aa",
  to: "ami-0bb",
};
const ENDED: LogEvent = {
  at: "2026-11-21T09:34:00.000Z",
  run: "r1",
  event: "group-ended",
  group: "broker-1",
  revision: 15,
  seconds: 1320,
  result: "ok",
};

let scratch: string;
let folder: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "rollout-log-"));
  folder = join(scratch, ".rollout", "prod");
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

test("no log is an empty one", () => {
  expect(readLog(folder)).toStrictEqual({ events: [], notes: [] });
});

test("events are read as they were added, oldest first, one JSON object a line", () => {
  appendLog(folder, STARTED);
  appendLog(folder, ENDED);

  expect(readLog(folder)).toStrictEqual({ events: [STARTED, ENDED], notes: [] });
  expect(readFileSync(logFile(folder), "utf8").split("\n")).toHaveLength(3);
});

test("a last line that was cut off is left out and noted, and spoils no later one", () => {
  appendLog(folder, STARTED);
  appendFileSync(logFile(folder), '{"at":"2026-11-21T09:13');
  const notes = [`${logFile(folder)}:2 is no event and was left out`];
  expect(readLog(folder)).toStrictEqual({ events: [STARTED], notes });

  appendLog(folder, ENDED);

  expect(readLog(folder)).toStrictEqual({ events: [STARTED, ENDED], notes });
});

test("a line of another kind is left out and noted", () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(logFile(folder), `{"event":"group-started"}\n${JSON.stringify(ENDED)}\n`);

  expect(readLog(folder)).toStrictEqual({
    events: [ENDED],
    notes: [`${logFile(folder)}:1 is no event and was left out`],
  });
});

test("refuses to go on where the disk is full", () => {
  mkdirSync(folder, { recursive: true });
  symlinkSync("/dev/full", logFile(folder));

  expect(() => {
    appendLog(folder, STARTED);
  }).toThrow(
    new Error(
      `cannot write ${logFile(folder)}: the disk is full; the roll itself is not lost: put that right and run the same command again`,
    ),
  );
});

test("refuses to leave half a line where the disk has room for no more", async () => {
  appendLog(folder, STARTED);
  const before = readFileSync(logFile(folder), "utf8");
  const module = join(process.cwd(), "dist/clients/run-folder/log.js");
  const event = JSON.stringify({ ...ENDED, message: "x".repeat(5000) });
  const script = `import(${JSON.stringify(module)}).then((log) => log.appendLog(${JSON.stringify(folder)}, ${event}))`;

  // In blocks of 512 or 1024 bytes, as the shell has it: less than the event, more than what is there.
  const ended = await execa("sh", ["-c", 'ulimit -f 3; exec node -e "$0"', script], { reject: false });

  expect(ended.stderr).toContain(`cannot write ${logFile(folder)}: EFBIG; the roll itself is not lost`);
  expect(readFileSync(logFile(folder), "utf8")).toBe(before);
});

test("refuses a log that is a folder", () => {
  mkdirSync(logFile(folder), { recursive: true });

  expect(() => readLog(folder)).toThrow(
    new Error(`cannot read ${logFile(folder)}: EISDIR; make it readable`),
  );
  expect(() => {
    appendLog(folder, STARTED);
  }).toThrow(
    new Error(
      `cannot write ${logFile(folder)}: EISDIR; the roll itself is not lost: put that right and run the same command again`,
    ),
  );
});
