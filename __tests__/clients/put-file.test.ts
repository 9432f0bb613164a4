import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { putFile } from "../../clients/put-file.js";
import { reportFailure } from "../../program/report-failure.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-put-file-"));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test("refuses a full disk, and leaves the old file and nothing beside it", () => {
  const file = join(folder, "cluster.yaml");
  putFile(file, "old");
  symlinkSync("/dev/full", join(folder, `.cluster.yaml.${String(process.pid)}.tmp`));
  expect(() => {
    putFile(file, "new");
  }).toThrow(
    `cannot write ${file}: the disk is full; it is as it was: make room, and run the same command again`,
  );
  expect([readdirSync(folder), readFileSync(file, "utf8")]).toEqual([["cluster.yaml"], "old"]);
});

test("a disk that is full elsewhere is told without a stack trace", () => {
  const print = jest.spyOn(console, "error").mockReturnValue();
  try {
    writeFileSync("/dev/full", "x");
  } catch (error) {
    expect(reportFailure(error)).toBe(1);
  }
  expect(print.mock.calls).toEqual([
    ["the disk is full: ENOSPC: no space left on device, write; make room, and run the same command again"],
  ]);
});
