import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { logEventSchema, type LogEvent } from "../../cluster/run/run-log.js";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import { textIfThere } from "../json-file.js";

/** What a cluster's runs did, oldest first, and what could not be read of it. */
export interface RunLog {
  readonly events: readonly LogEvent[];
  readonly notes: readonly string[];
}

/** Where the log of a run folder lies. */
export const logFile = (folder: string): string => join(folder, "log.jsonl");

const NEWLINE = 0x0a;

/**
 * Adds one event at the end of the log. A last line that was cut off stays alone.
 * @throws UserError where it cannot be written, as on a full disk; the log is then as it was
 */
export function appendLog(folder: string, event: LogEvent): void {
  const file = logFile(folder);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const log = openSync(file, "a+", 0o600);
    try {
      addLine(log, JSON.stringify(logEventSchema.parse(event)));
    } finally {
      closeSync(log);
    }
  } catch (error) {
    const code = codeOf(error);
    throw new UserError(
      `cannot write ${file}: ${code === "ENOSPC" ? "the disk is full" : code}; the roll itself is not lost: put that right and run the same command again`,
    );
  }
}

/** One write for one line, so that lines of two processes do not mix. */
function addLine(log: number, text: string): void {
  const before = fstatSync(log);
  const line = Buffer.from(`${endsTorn(log, before.size) ? "\n" : ""}${text}\n`);
  try {
    for (let written = 0; written < line.length;) written += writeSync(log, line, written);
  } catch (error) {
    if (before.isFile()) ftruncateSync(log, before.size);
    throw error;
  }
}

function endsTorn(log: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size > 0 && readSync(log, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
}

/**
 * Reads the log. A line that is no event, such as the last one of a run that was killed while it wrote, is left out and
 * noted. No log is an empty one.
 * @throws UserError where it cannot be read
 */
export function readLog(folder: string): RunLog {
  const file = logFile(folder);
  const events: LogEvent[] = [];
  const notes: string[] = [];
  for (const [index, line] of readText(file).split("\n").entries()) {
    if (line === "") continue;
    const event = parseEvent(line);
    if (event) events.push(event);
    else notes.push(`${file}:${String(index + 1)} is no event and was left out`);
  }
  return { events, notes };
}

function readText(file: string): string {
  try {
    return textIfThere(file) ?? "";
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${codeOf(error)}; make it readable`);
  }
}

function parseEvent(line: string): LogEvent | undefined {
  try {
    return logEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
